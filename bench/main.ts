/**
 * The bench: `npm run bench -- [GROUP ...] [--rounds N] [--ms N] [--json FILE] [--markdown FILE]`.
 * Exit status 0 also when a goal is missed, for the machine may be busy; the tables and the
 * documents say which, and where the time went.
 */
import { writeFileSync } from 'node:fs';
import { loadGroup } from './groups.ts';
import { measure, type Variant } from './harness.ts';
import { markdown } from './markdown.ts';
import { compilerLine } from './native/compile.ts';
import { profileMissed } from './profiled-variant.ts';
import { print, runProgram } from './program.ts';
import {
  type BenchResult,
  busyLine,
  type MeasuredGroup,
  machineLine,
  thisMachine,
  wakeUpLine,
} from './report.ts';
import { type Request, readRequest } from './request.ts';
import { spreadOf } from './statistics.ts';
import { groupLines } from './terminal.ts';
import { startWakeUp } from './wake-up.ts';

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2));
  const { rounds, ms } = request;
  const machine = thisMachine(compilerLine());
  print([machineLine(machine), busyLine(machine) ?? []].flat().join('\n'));
  const wakeUp = await startWakeUp();
  const wakeUps: number[] = [];
  // The first variant of each round; not shown in the groups' tables.
  const wakeUpVariant: Variant = {
    name: WAKE_UP,
    unit: 'us',
    sample() {
      const us = wakeUp.sampleUs();
      wakeUps.push(us);
      return us;
    },
  };
  const groups: MeasuredGroup[] = [];
  for (const name of request.groups) {
    const measured = await measureGroup(name, request, wakeUpVariant);
    groups.push(measured);
    print(groupLines(measured, rounds).join('\n'));
  }
  await wakeUp.end();
  const wakeUpUs = { samples: wakeUps, ...spreadOf(wakeUps) };
  print(`\n${wakeUpLine(wakeUpUs)}`);
  const result: BenchResult = { schema: 1, machine, rounds, ms, wakeUpUs, groups };
  if (request.json !== null) writeFileSync(request.json, `${JSON.stringify(result, null, 2)}\n`);
  if (request.markdown !== null) writeFileSync(request.markdown, markdown(result));
  return 0;
}

const WAKE_UP = 'wake-up';

async function measureGroup(
  name: string,
  request: Request,
  wakeUp: Variant,
): Promise<MeasuredGroup> {
  const group = await loadGroup(name);
  const prepared = await group.prepare(request);
  const variants = [wakeUp, ...prepared.variants];
  const measured = await measure({ ...prepared, variants }, request.rounds, progress(name));
  clearProgress();
  return {
    group: name,
    summary: group.summary,
    ...measured,
    variants: measured.variants.filter((variant) => variant.name !== WAKE_UP),
    profiles: profileMissed(name, measured.figures, request.ms),
  };
}

/** One line on a terminal that is written over; nothing elsewhere. */
function progress(group: string): (round: number, variant: string) => void {
  return (round, variant) => {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${group}, round ${round + 1}: ${variant}`);
    }
  };
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

await runProgram('bench', main);
