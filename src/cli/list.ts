/** `pttorture list`: what there is to choose from, for people and (with `--json`) for programs. */
import type { Command } from 'commander';
import { indented, type Page, pageOf, wrap } from '#report/page';
import { table } from '#report/table';
import type { ScenarioSummary } from '#scenario/scenario';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';
import type { Engine } from './engine.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { SPIN_CLASSES } from './flags.ts';
import { paintFor } from './print-report.ts';

export function addList(program: Command, context: Context, act: Act): void {
  program
    .command('list')
    .description('list scenarios, protocols, broken versions, lock algorithms or oracles')
    .argument('[topic]', TOPICS.join(', '))
    .option('--json', 'print JSON: an array of { name, summary, source }')
    .action((topic: string | undefined, options: { json?: true }) =>
      act(() => list(context, topic, options.json ?? false)),
    );
}

const TOPICS = ['scenarios', 'protocols', 'broken', 'locks', 'oracles'] as const;
type Topic = (typeof TOPICS)[number];

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  /** What `-p` sets here. */
  readonly parameters?: ScenarioSummary['parameters'];
  readonly bug?: string;
  readonly protocol?: string;
  readonly scenario?: string;
  readonly oracle?: string;
}

async function list(
  { io, engine }: Context,
  topic: string | undefined,
  asJson: boolean,
): Promise<ExitCode> {
  const topics = topic === undefined ? TOPICS : [choose('topic', topic, TOPICS)];
  const found = await Promise.all(
    topics.map(async (each) => [each, await ENTRIES[each](engine)] as const),
  );
  if (asJson) {
    const document = topic === undefined ? Object.fromEntries(found) : found[0][1];
    io.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    return EXIT.well;
  }
  const page = pageOf(io.stdout.columns, paintFor(io.stdout));
  const blocks = found.map(([each, entries]) => [
    ...(topic === undefined ? wrap(page, each, 0, 'strong') : []),
    ...(each === 'broken'
      ? brokenTable(page, entries)
      : entries.flatMap((one) => lines(page, one))),
    ...(entries.length === 0 ? ['none'] : []),
  ]);
  io.stdout.write(`${blocks.map((block) => block.join('\n')).join('\n\n')}\n`);
  return EXIT.well;
}

const ENTRIES: Readonly<Record<Topic, (engine: Engine) => Promise<Entry[]>>> = {
  async scenarios(engine) {
    const names = [...(await engine.scenarioNames())].sort();
    return Promise.all(
      names.map(async (name) => {
        const scenario = await engine.loadScenario(await engine.scenarioSource(name));
        const { summary, source, parameters } = scenario;
        return { name, summary, source, parameters };
      }),
    );
  },
  async protocols(engine) {
    return (await engine.protocols()).map(({ name, summary, source, options }) => {
      const parameters = Object.entries(options).map(([option, setting]) => ({
        name: `${name}.${option}`,
        default: setting.default,
        summary: setting.summary,
        ...(setting.choices === undefined ? {} : { choices: setting.choices }),
      }));
      return { name, summary, source, parameters };
    });
  },
  async broken(engine) {
    return [...(await engine.brokenVersions())];
  },
  async locks() {
    return LOCK_ENTRIES;
  },
  async oracles(engine) {
    const oracles = await engine.oracles();
    return oracles.map(({ name, sentence, judged }) => {
      const summary = judged ? sentence : `${sentence} (No judge yet.)`;
      return { name, summary, source: OWN };
    });
  },
};

/** The source of what comes from nowhere else, which people need not be told of each. */
const OWN = 'pttorture';

const CLASSES = `for --lock CLASS=NAME, CLASS one of ${SPIN_CLASSES.join(', ')}`;

const LOCK_ENTRIES: Entry[] = [
  {
    name: 'ttas',
    summary: `Test and test-and-set, spinning, then sleeping; the default (${CLASSES}).`,
    source: 'Rudolph and Segall, 1984',
  },
  {
    name: 'ticket',
    summary: 'First come, first served: a waiter draws a ticket and waits for its number.',
    source: 'Mellor-Crummey and Scott, 1991; Linux spinlocks 2.6.25 to 4.1',
  },
  {
    name: 'mcs',
    summary: 'A queue in which each waiter watches a word of its own.',
    source: 'Mellor-Crummey and Scott, 1991; the queue of Linux qspinlock',
  },
];

/** What each must show, in rows; what is wrong, and who said so first, in lines below. */
function brokenTable(page: Page, entries: readonly Entry[]): string[] {
  const columns = ['broken version', 'bug', 'protocol', 'must show'].map((head) => {
    return { head, align: 'left' } as const;
  });
  const rows = entries.map(({ bug, name, protocol, oracle }) => [
    { text: name, style: 'good' as const },
    ...[bug, protocol, oracle].map((text) => ({ text: text ?? '' })),
  ]);
  const sentences = entries.flatMap(({ name, summary, scenario, source }) => [
    ...wrap(page, `${name}, in ${scenario}: ${summary}`, 2),
    ...indented(page, 2, (room) => wrap(room, source, 0, 'dim')),
  ]);
  return [...table(page, columns, rows), '', ...sentences];
}

function lines(page: Page, entry: Entry): string[] {
  const settings = (entry.parameters ?? []).map((each) => {
    const others = (each.choices ?? []).filter((choice) => choice !== each.default);
    const or = others.length === 0 ? '' : ` (or ${others.join(', ')})`;
    return `-p ${each.name}=${each.default}${or}: ${each.summary}`;
  });
  return [
    ...wrap(page, entry.name, 0, 'good'),
    ...indented(page, 2, (room) => [
      ...wrap(room, entry.summary),
      ...settings.flatMap((line) => wrap(room, line, 4)),
      ...(entry.source === OWN ? [] : wrap(room, entry.source, 0, 'dim')),
    ]),
  ];
}
