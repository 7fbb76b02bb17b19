/**
 * The rewriting itself: imports become relative, so that a tree is complete in itself, and stepped
 * functions become generators.
 *
 *     function f(cpu) { … }      ->  function* f(cpu) { … }
 *     x = f(cpu) + 1;            ->  x = (yield* f(cpu)) + 1;
 *     passGate(cpu, op, at, 0);  ->  if (passGate(cpu, op, at, 0)) yield;
 *
 * A third form keeps lock statistics (lock-sites.ts). Every line stays the line it was.
 */

import MagicString from 'magic-string';
import { GATE, isStepped, STEPPED_ROOMS, steppedNames } from './call-graph.ts';
import { checkDiscipline } from './discipline.ts';
import { collectFacts, type Facts } from './facts.ts';
import { addLockSites, checkLockSites, type LockSite, leaveOutStatistics } from './lock-sites.ts';
import {
  DerivationError,
  type Modules,
  type Problem,
  parseModules,
  relativeSpecifier,
  resolveSpecifier,
} from './modules.ts';

export interface Forms {
  readonly plain: Modules;
  readonly stepped: Modules;
  /** The plain form with lock statistics, and its call sites of locks in order. */
  readonly counted: Modules;
  readonly lockSites: readonly LockSite[];
}

/** All forms of a set of modules; throws one `DerivationError` with all problems. */
export function deriveForms(modules: Modules): Forms {
  const all = parseModules(modules).map(collectFacts);
  const names = steppedNames(all);
  const problems = [
    ...checkImports(all, modules),
    ...checkDiscipline(all, names),
    ...checkLockSites(all),
  ];
  if (problems.length > 0) throw new DerivationError(problems);
  const plain = new Map<string, string>();
  const stepped = new Map<string, string>();
  const counted = new Map<string, string>();
  const lockSites: LockSite[] = [];
  for (const facts of all) {
    const text = new MagicString(facts.module.text);
    rewriteImports(facts, text);
    const withSites = text.clone();
    addLockSites(facts, withSites, lockSites);
    counted.set(facts.module.path, withSites.toString());
    leaveOutStatistics(facts, text);
    plain.set(facts.module.path, text.toString());
    if (STEPPED_ROOMS.has(facts.room)) rewriteSteps(facts, names, text);
    stepped.set(facts.module.path, text.toString());
  }
  return { plain, stepped, counted, lockSites };
}

function checkImports(all: readonly Facts[], modules: Modules): Problem[] {
  const problems: Problem[] = [];
  for (const { module, links } of all) {
    for (const { specifier, source } of links) {
      if (specifier === null || source === null) continue;
      const target = resolveSpecifier(module.path, source);
      if (target !== null && modules.has(target)) continue;
      const { line, column } = specifier.loc!.start;
      const message =
        target === null
          ? `import of "${source}" leaves the derived tree; move what needs it elsewhere`
          : `import of "${source}": ${target} is not in the derived tree`;
      problems.push({ path: module.path, line, column, message });
    }
  }
  return problems;
}

function rewriteImports({ module, links }: Facts, text: MagicString): void {
  for (const { specifier, source } of links) {
    if (specifier === null || source === null) continue;
    const target = resolveSpecifier(module.path, source)!;
    text.update(specifier.start, specifier.end, `'${relativeSpecifier(module.path, target)}'`);
  }
}

function rewriteSteps(facts: Facts, names: Set<string>, text: MagicString): void {
  for (const definition of facts.definitions)
    if (isStepped(facts, definition, names)) text.appendLeft(definition.starAt, '*');
  // Inner calls come before outer ones, so `prependRight` puts the outer opening first.
  for (const { name, node, isStatement, isInBlock } of facts.calls) {
    if (name === GATE) {
      // Without braces around, an `if` might catch the `else` of another.
      if (isInBlock) text.prependRight(node.start, 'if (');
      text.appendLeft(node.end, isInBlock ? ') yield' : ' && (yield)');
    } else if (name !== null && names.has(name)) {
      text.prependRight(node.start, isStatement ? 'yield* ' : '(yield* ');
      if (!isStatement) text.appendLeft(node.end, ')');
    }
  }
}
