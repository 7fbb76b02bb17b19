/**
 * The free-running form: the tested wing as one module, with as constants what is constant for the
 * life of a thread. A line `let NAME = VALUE; // constant at load` becomes `const NAME = VALUE;`,
 * and the assignments to NAME go. Passages of the gate go too, and what only a search asks: whoever
 * needs a gate (noise, an enforced schedule) runs the tree of plain modules. At last, calls of
 * small functions are inlined (inline.ts).
 *
 * Why: V8 folds a constant of the module's own scope into the code it compiles, the address of the
 * arena's words included, but goes through a cell, a check and a field for each name imported from
 * another module. On the fault path this is worth a factor of two to three.
 */
import { posix } from 'node:path';
import { rolldown } from 'rolldown';
import { inlineCalls } from './inline.ts';
import type { Modules } from './modules.ts';

/** The module that exports all that a thread needs. */
const ENTRY = 'tasks/entry.js';
/**
 * A passage of the gate, as a statement of its own (the stepped form relies on that too), and what
 * only matters at a gate.
 */
const PASSAGE = /^\s*((passGate|noteQuiet)\(.*\);|if \(mustServeFirst\(cpu\)\) return .*;)$/;
const CONSTANT = /^let (\w+) = (.*); \/\/ constant at load$/;

/** The text of the free-running form of `modules` (a plain tree: all imports relative). */
export async function freeForm(modules: Modules): Promise<string> {
  const bundle = await rolldown({
    input: ENTRY,
    logLevel: 'silent',
    plugins: [
      {
        name: 'modules-in-memory',
        resolveId: (specifier, importer) =>
          importer === undefined ? specifier : posix.join(posix.dirname(importer), specifier),
        load: (id) => specialise(id, modules.get(id)),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  return inlineCalls(output[0].code);
}

/** Turns the marked variables of one module into constants. */
export function specialise(path: string, text: string | undefined): string {
  if (text === undefined)
    throw new Error(`the free-running form needs ${path}, which is not there`);
  const names: string[] = [];
  const lines = text.split('\n').map((line) => {
    if (PASSAGE.test(line)) return '';
    const [marked, name, value] = CONSTANT.exec(line) ?? [];
    if (marked === undefined) return line;
    names.push(name!);
    return `const ${name} = ${value};`;
  });
  for (const name of names) {
    const assignment = new RegExp(`^\\s*${name} = .*;$`);
    for (const [i, line] of lines.entries()) if (assignment.test(line)) lines[i] = '';
  }
  return lines.join('\n');
}
