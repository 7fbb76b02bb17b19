/**
 * The README's protocol-by-scenario table: `npm run readme` runs every shipped scenario under every
 * protocol and rewrites what stands between the markers. Scenarios that end by themselves run
 * whole and are held to their expectations; the others run for a few seconds.
 *
 * Exit status: 0 all well, 1 a cell is not as it should be (the table says so), 2 no markers.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { runPlan } from '#machine/run';
import { JUDGES } from '#oracles/judges';
import { PROTOCOLS } from '#reclaim/registry';
import { formatCounted, formatExactKiB, formatShort } from '#report/format';
import type { Run } from '#result/result';
import { buildPlan } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario, type Scenario } from '#scenario/scenario';
import { inPackage } from './root.ts';

const README = inPackage('README.md');
const BEGIN = '<!-- generated: protocol table -->';
const END = '<!-- end of generated -->';
const CPUS = 2;
const SEED = 1;
/** Main phase of a scenario that has no end of its own. */
const SECONDS = 3;

const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

async function main(): Promise<number> {
  const readme = readFileSync(README, 'utf8');
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) {
    process.stderr.write(`readme: README.md has no lines "${BEGIN}" and "${END}"\n`);
    return 2;
  }
  let isAsExpected = true;
  const names = PROTOCOLS.map(({ name }) => name);
  const rows = [`| scenario | ${names.join(' | ')} |`, `|---|${names.map(() => '---|').join('')}`];
  for (const scenario of shippedScenarios()) {
    const cells: string[] = [];
    for (const protocol of names) {
      const run = await runPlan(planOf(scenario, protocol), { judges: JUDGES });
      cells.push(cellOf(run));
      isAsExpected &&= run.exit === 'pass' && run.expectations.every(({ met }) => met);
      process.stderr.write(`${scenario.name} under ${protocol}: ${cells.at(-1)}\n`);
    }
    const { name } = scenario;
    rows.push(`| [${name}](scenarios/${name}.yaml) | ${cells.join(' | ')} |`);
  }
  const block = [BEGIN, ...rows, '', ...legend(), END].join('\n');
  writeFileSync(README, `${before}${block}${after}`);
  return isAsExpected ? 0 : 1;
}

function shippedScenarios(): Scenario[] {
  const names = readdirSync(inPackage('scenarios')).filter((name) => name.endsWith('.yaml'));
  return names.sort().map((file) => {
    const path = inPackage('scenarios', basename(file));
    return parseScenario({ path, text: readFileSync(path, 'utf8') });
  });
}

/** With its own end where it has one: a plan that was cut short has no expectations. */
function planOf(scenario: Scenario, protocol: string): Plan {
  const request = { protocol, protocolOptions: OPTIONS, seed: SEED, cpus: CPUS, parameters: {} };
  const plan = buildPlan(scenario, request);
  if (plan.durationMs === null) return plan;
  return buildPlan(scenario, { ...request, durationMs: SECONDS * 1000 });
}

/** VmPTE, then what was expected of it or else what happened, then what was wrong. */
function cellOf(run: Run): string {
  const kinds = [...new Set(run.violations.map(({ kind }) => kind))];
  if (kinds.length > 0) return `VIOLATED: ${kinds.join(', ')}`;
  if (run.exit !== 'pass') return `not finished: ${run.note ?? run.exit}`;
  if (run.operations['torture']) return formatCounted(run.operations['torture'], 'round');
  const kib = formatExactKiB(run.vmpteKiB.end - run.vmpteKiB.start);
  if (run.expectations.length === 0) {
    const races = run.races.reduce((sum, { count }) => sum + count, 0);
    return `${kib}, ${formatShort(races)} races`;
  }
  const unmet = run.expectations.filter(({ met }) => !met);
  return `${kib}, ${unmet.length === 0 ? 'as expected' : 'NOT AS EXPECTED'}`;
}

function legend(): string[] {
  const { length: count } = PROTOCOLS;
  return [
    `From \`npm run readme\` on ${formatCounted(availableParallelism(), 'core')}, Node.js`,
    `${process.version}: ${CPUS} simulated CPUs, seed ${SEED}, one run a cell. KiB: VmPTE at the`,
    'end above VmPTE at the start. "As expected": within the limits that the scenario file gives',
    `for this protocol. The others run ${SECONDS} s and count the races that were handled. A violation is`,
    `never expected, in any cell of the ${count} protocols; one would stand in its cell as VIOLATED.`,
  ];
}

process.exitCode = await main();
