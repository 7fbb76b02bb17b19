/**
 * The generated parts of the README: `npm run readme [-- PART ...]` rewrites what stands between
 * the markers. Parts: `scenarios` runs every shipped scenario under every protocol (those that end
 * by themselves whole, and held to their expectations; the others for a few seconds), `example`
 * explores one broken version, `litmus` searches the litmus scenarios, `posted` runs the protocols
 * as posted, `live` holds the simulator against this machine's kernel, `lists` are made from the
 * source; `posted-2022`, the diagrams of
 * scenarios/posted-2022.md; `catalogue`, the table of scenarios/catalogue.md, from catalogue.json
 * (`explore --broken all --json`) and sightings.json (`npm run sightings -- --json`) where those
 * are there, else measured first. All without a name.
 *
 * Exit status: 0 all well, 1 a cell is not as it should be (the table says so), 2 a wrong command
 * or no markers.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { execPath } from 'node:process';
import { UserError } from '#base/user-error';
import { CONTROL } from '#catalogue/broken-version';
import { CATALOGUE } from '#catalogue/catalogue';
import { runPlan } from '#machine/run';
import { JUDGES } from '#oracles/judges';
import { ORACLES } from '#oracles/vocabulary';
import { PROTOCOLS } from '#reclaim/registry';
import { formatCounted, formatExactKiB, formatShort } from '#report/format';
import type { Run } from '#result/result';
import { buildPlan } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario, type Scenario } from '#scenario/scenario';
import { withPart } from './marked-parts.ts';
import { runProgram } from './program.ts';
import { renewCatalogue } from './readme-catalogue.ts';
import { litmusHead, litmusTable } from './readme-litmus.ts';
import { liveTable } from './readme-live.ts';
import { postedLegend, postedRows } from './readme-posted.ts';
import { renewPostedPage } from './readme-posted-2022.ts';
import { inPackage } from './root.ts';

const README = inPackage('README.md');
const PARTS = [
  ...['scenarios', 'example', 'litmus', 'posted', 'posted-2022', 'catalogue', 'live', 'lists'],
];
const CPUS = 2;
const SEED = 1;
/** Main phase of a scenario that has no end of its own. */
const SECONDS = 3;

const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

async function main(): Promise<number> {
  const parts = process.argv.slice(2);
  for (const part of parts)
    if (!PARTS.includes(part)) throw new UserError(`no part "${part}"; parts: ${PARTS.join(', ')}`);
  const has = (part: string): boolean => parts.length === 0 || parts.includes(part);
  let readme = readFileSync(README, 'utf8');
  const lists = ['scenarios', 'protocols', 'oracles', 'broken versions'];
  const sections = ['protocol table', 'example', 'litmus', 'as posted', 'live', ...lists];
  // Before the long runs: markers that are missing are found at once.
  for (const section of sections) withPart(readme, section, []);
  let isAsExpected = true;
  if (has('scenarios')) {
    const table = await protocolTable();
    readme = withPart(readme, 'protocol table', table.lines);
    isAsExpected = table.isAsExpected;
  }
  if (has('example')) readme = withPart(readme, 'example', example());
  if (has('litmus')) {
    const table = await litmusTable();
    const lines = [...tableHead([...litmusHead()]), ...table.lines.slice(0, -1)];
    readme = withPart(readme, 'litmus', [...lines, ...folded(table.lines.at(-1)!)]);
    isAsExpected &&= table.isAsExpected;
  }
  if (has('posted')) readme = withPart(readme, 'as posted', await postedTable());
  if (has('live')) {
    const table = liveTable();
    const lines = [...tableHead([...table.head]), ...table.rows, '', ...folded(table.legend)];
    readme = withPart(readme, 'live', lines);
    isAsExpected &&= table.isAsExpected;
  }
  if (has('posted-2022')) isAsExpected = renewPostedPage() && isAsExpected;
  if (has('catalogue')) isAsExpected = (await renewCatalogue()) && isAsExpected;
  if (has('lists')) {
    readme = withPart(readme, 'scenarios', scenarioTable());
    readme = withPart(readme, 'protocols', protocolsTable());
    readme = withPart(readme, 'oracles', oracleTable());
    readme = withPart(readme, 'broken versions', brokenTable());
  }
  writeFileSync(README, readme);
  return isAsExpected ? 0 : 1;
}

async function postedTable(): Promise<string[]> {
  const head = tableHead(['protocol as posted', 'violated', 'for example']);
  return [...head, ...(await postedRows()), '', ...folded(postedLegend())];
}

function scenarioTable(): string[] {
  const rows = shippedScenarios().map(({ name, file }) => {
    const parameters = Object.keys(file.parameters ?? {}).map((parameter) => `\`${parameter}\``);
    const question = file.question.replaceAll(/\s+/g, ' ').trim();
    return `| \`${name}\` | ${question} | ${parameters.join(', ')} |`;
  });
  return [...tableHead(['scenario', 'question', 'parameters']), ...rows];
}

/** The protocols, then their options. */
function protocolsTable(): string[] {
  const lines = tableHead(['protocol', 'how empty PTE tables are freed', 'after']);
  for (const { name, summary, source } of PROTOCOLS)
    lines.push(`| \`${name}\` | ${summary} | ${source} |`);
  lines.push('', ...tableHead(['option', 'values', 'means']));
  for (const { name, options } of PROTOCOLS)
    for (const [option, { type, choices, summary, default: byDefault }] of Object.entries(options))
      lines.push(
        `| \`${name}.${option}\` | ${choices?.join(', ') ?? type} (${byDefault}) | ${summary} |`,
      );
  return lines;
}

/** What the program prints for one broken version; it exits with 1, as it should. */
function example(): string[] {
  const words = ['explore', '--broken', 'no-pmd-recheck'];
  const { stdout } = spawnSync(execPath, [inPackage('dist', 'src', 'cli', 'main.js'), ...words]);
  return ['```text', ...String(stdout).trimEnd().split('\n'), '```'];
}

async function protocolTable(): Promise<{ lines: string[]; isAsExpected: boolean }> {
  let isAsExpected = true;
  const names = PROTOCOLS.map(({ name }) => name);
  const lines = tableHead(['scenario', ...names]);
  for (const scenario of shippedScenarios()) {
    const cells: string[] = [];
    for (const protocol of names) {
      const run = await runPlan(planOf(scenario, protocol), { judges: JUDGES });
      cells.push(cellOf(run));
      isAsExpected &&= run.exit === 'pass' && run.expectations.every(({ met }) => met);
      process.stderr.write(`${scenario.name} under ${protocol}: ${cells.at(-1)}\n`);
    }
    const { name } = scenario;
    lines.push(`| [${name}](scenarios/${name}.yaml) | ${cells.join(' | ')} |`);
  }
  return { lines: [...lines, '', ...legend()], isAsExpected };
}

function shippedScenarios(): Scenario[] {
  const names = readdirSync(inPackage('scenarios')).filter((name) => name.endsWith('.yaml'));
  return names.sort().map((file) => {
    const path = inPackage('scenarios', file);
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
  const cores = formatCounted(availableParallelism(), 'core');
  return folded(
    `From \`npm run readme -- scenarios\` on ${cores}, Node.js ${process.version}: ${CPUS} ` +
      `simulated CPUs, seed ${SEED}, one run a cell. KiB is VmPTE at the end above VmPTE at ` +
      'the start; "as expected" means within the limits that the scenario file gives for the ' +
      `protocol. The others ran ${SECONDS} s; their races were all handled. A violation is never ` +
      'expected in any cell, and would stand there as VIOLATED.',
  );
}

function oracleTable(): string[] {
  const rows = ORACLES.map(({ name, sentence, judged }) => {
    return `| \`${name}\`${judged ? '' : ' (no judge yet)'} | ${sentence} |`;
  });
  return [...tableHead(['verdict', 'means']), ...rows];
}

/** Bugs of the field, and the controls of our own judges, by name. */
function brokenTable(): string[] {
  const races = CATALOGUE.filter(({ bug }) => bug !== CONTROL);
  const bugs = new Set(races.map(({ bug }) => bug));
  const controls = CATALOGUE.filter(({ bug }) => bug === CONTROL).map(({ name }) => `\`${name}\``);
  return [
    ...folded(
      `${races.length} broken versions for ${bugs.size} published races and flaws ` +
        `([the catalogue](scenarios/catalogue.md) has what each came to): ` +
        `${races.map(({ name }) => `\`${name}\``).join(', ')}.`,
    ),
    '',
    'Controls, which only test that our own accounts, RCU and locks are judged:',
    ...folded(`${controls.join(', ')}.`),
  ];
}

/** `text` in lines of at most 98 columns. */
function folded(text: string): string[] {
  return text.match(/.{1,98}(?= |$)/g)!.map((line) => line.trim());
}

function tableHead(names: readonly string[]): string[] {
  return [`| ${names.join(' | ')} |`, `|${names.map(() => '---|').join('')}`];
}

await runProgram('readme', main);
