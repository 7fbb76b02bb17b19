/**
 * `pttorture explore --broken all`: the whole catalogue, one broken version after another, each
 * within the limits of one exploration. What is found is replayed and enforced on real threads;
 * with `--controls` each scenario, under its protocol and conditions, is searched without the flaw.
 */
import type { BrokenVersion } from '#catalogue/broken-version';
import type { LineEdit } from '#derive/apply-edit';
import { isOfKind } from '#explore/wanted';
import {
  type CatalogueControl,
  type CatalogueEntry,
  type CatalogueOutcome,
  type CatalogueReport,
  isAlike,
  isAsNamed,
  isOnThreads,
  THREADS_AGREE,
} from '#result/catalogue';
import type { ExploredViolation } from '#result/exploration';
import type { Plan } from '#scenario/plan';
import { commandText } from './campaign.ts';
import type { Context } from './command-line.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { exploration } from './explore-one.ts';
import type { ExploreOptions } from './explore-options.ts';
import { type HtmlOutput, openHtmlOutput } from './html-output.ts';
import { openJsonOutput } from './json-output.ts';
import { flagsIn, wordsOf } from './plan-flags.ts';
import { paintFor } from './print-report.ts';

/** What stands for every broken version. */
export const ALL = 'all';
/** How often what was found is replayed. */
const REPLAYS = 100;

export async function exploreCatalogue(
  context: Context,
  options: ExploreOptions,
): Promise<ExitCode> {
  const { json: target, html: page, format } = options;
  const { io, words, signal } = context;
  const json = target === undefined ? null : openJsonOutput(io, target);
  const { catalogueMarkdown, catalogueSummary, controlLines, entryLines } = await import(
    '#report/catalogue'
  );
  const terminal = { width: io.stdout.columns, paint: paintFor(io.stdout) };
  const isTold = format === 'text' && target !== '-';
  const tell = (lines: string): void => void (isTold && io.stdout.write(lines));
  let html: HtmlOutput | null = null;
  try {
    if (page !== undefined) html = openHtmlOutput(context, page, target);
    const began = performance.now();
    const versions = await context.engine.brokenVersions();
    const entries: CatalogueEntry[] = [];
    for (const version of versions) {
      if (signal.aborted) break;
      entries.push(await entryOf(context, version, options));
      tell(entryLines(entries.at(-1)!, terminal));
    }
    const controls: CatalogueControl[] = [];
    for (const twins of options.controls ? twinsOf(versions) : []) {
      if (signal.aborted) break;
      controls.push(await controlOf(context, twins, options));
      tell(controlLines(controls.at(-1)!, terminal));
    }
    const report: CatalogueReport = {
      ...{ pttorture: io.version, schema: 1, kind: 'catalogue', command: commandText(words) },
      ...{ seed: options.seed, machine: io.machine },
      seconds: Math.round(performance.now() - began) / 1000,
      isInterrupted: signal.aborted,
      ...{ entries, controls },
    };
    tell(catalogueSummary(report, terminal));
    if (format === 'markdown' && target !== '-') io.stdout.write(catalogueMarkdown(report));
    if (format === 'json' && target !== '-')
      io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    json?.write(report);
    await html?.write(report);
    return exitCode(report);
  } finally {
    json?.discard();
    html?.discard();
  }
}

async function entryOf(
  context: Context,
  version: BrokenVersion,
  options: ExploreOptions,
): Promise<CatalogueEntry> {
  const { name, bug, summary, source, oracle, scenario } = version;
  const words = ['explore', '--broken', name];
  const target = { scenario, broken: version };
  const explored = await (
    await exploration({ ...context, words }, target, { ...options, broken: name })
  )();
  const [violation] = explored.violations;
  return {
    ...{ name, bug, summary, source, oracle, before: version.before ?? null },
    ...{ conditions: { ...version.conditions }, flaw: { ...version.flaw } },
    outcome: outcomeOf(version, violation),
    exploration: explored,
    replays: violation === undefined ? null : await replaysOf(context, violation),
  };
}

function outcomeOf(
  { oracle, before }: BrokenVersion,
  violation: ExploredViolation | undefined,
): CatalogueOutcome {
  if (violation === undefined) return 'silent';
  if (isOfKind(violation.kind, oracle)) return 'found';
  return violation.kind === before?.oracle ? 'before' : 'other';
}

async function replaysOf(
  { engine }: Context,
  { kind, failure }: ExploredViolation,
): Promise<CatalogueEntry['replays']> {
  const { plan, edit, schedule, history } = failure;
  const { alike, threads, difference } = await engine.replay({
    ...{ plan: plan as Plan, edit: edit as LineEdit | null, schedule, history, check: null },
    ...{ times: REPLAYS, onThreads: true },
  });
  const found = threads?.kind === 'same' ? threads.verdicts.map((verdict) => verdict.kind) : [];
  const instead = found.length === 0 ? 'nothing' : found.join(', ');
  const told = threads?.kind === 'other' ? threads.why : `no ${kind}, but ${instead}`;
  return {
    times: REPLAYS,
    alike: difference === null ? alike : 0,
    threads: found.includes(kind) ? THREADS_AGREE : told,
  };
}

/** Versions that differ in their flaws only, together. */
function twinsOf(versions: readonly BrokenVersion[]): BrokenVersion[][] {
  const alike = new Map<string, BrokenVersion[]>();
  for (const version of versions) {
    const { scenario, protocol, conditions } = version;
    const key = JSON.stringify([scenario, protocol, Object.entries(conditions ?? {}).sort()]);
    alike.set(key, [...(alike.get(key) ?? []), version]);
  }
  return [...alike.values()];
}

async function controlOf(
  context: Context,
  twins: readonly BrokenVersion[],
  options: ExploreOptions,
): Promise<CatalogueControl> {
  const { scenario, protocol, conditions } = twins[0]!;
  const words = ['explore', scenario, '--protocol', protocol, ...wordsOf(conditions ?? {})];
  const flags = { ...flagsIn(conditions ?? {}), seed: options.seed, protocol };
  const target = { scenario, broken: null };
  const search = await exploration({ ...context, words }, target, { ...options, ...flags });
  return { of: twins.map(({ name }) => name), exploration: await search() };
}

/** Everything as the catalogue says, or not. */
function exitCode({ entries, controls, isInterrupted }: CatalogueReport): ExitCode {
  if (isInterrupted) return EXIT.interrupted;
  const isWell =
    entries.every((entry) => isAsNamed(entry) && isAlike(entry) && isOnThreads(entry)) &&
    controls.every(({ exploration: { violations } }) => violations.length === 0);
  return isWell ? EXIT.well : EXIT.found;
}
