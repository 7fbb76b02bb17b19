/**
 * One sample of one variant, in a process of its own that is to be profiled:
 * `node --cpu-prof dist/bench/sample.js GROUP VARIANT MS`.
 */
import { chosenGroups, loadGroup } from './groups.ts';
import { runProgram } from './program.ts';

async function main(): Promise<number> {
  const [group, name, ms] = process.argv.slice(2);
  const [chosen] = chosenGroups([group]);
  const { variants } = await (await loadGroup(chosen)).prepare({ rounds: 1, ms: Number(ms) });
  const variant = variants.find((variant) => variant.name === name);
  if (variant === undefined) return 1;
  await variant.sample();
  return 0;
}

await runProgram('sample', main);
