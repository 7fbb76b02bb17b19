/**
 * What mutations are tried on: every litmus scenario under the protocols of which it says
 * something, every other scenario under each protocol, and a few once more with other settings of
 * the machine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { PROTOCOLS } from '#reclaim/registry';
import { buildPlan, type PlanRequest } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario, type Scenario } from '#scenario/scenario';
import { inPackage } from './root.ts';

export interface MutationCase {
  /** As on a command line. */
  readonly name: string;
  readonly plan: Plan;
}

type Settings = Partial<PlanRequest>;

const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));
const ALL = PROTOCOLS.map(({ name }) => name);
/** A loop for ever has to end somewhere; what is explored is a part of it in any case. */
const ROUNDS = 1000;

/** Another machine, and the scenarios and protocols that meet what is peculiar to it. */
interface Variation {
  readonly words: string;
  readonly settings: Settings;
  /** Empty: all litmus scenarios. */
  readonly scenarios: readonly string[];
  readonly protocols?: readonly string[];
}

const VARIATIONS: readonly Variation[] = [
  ...(['ticket', 'mcs'] as const).map((algorithm) => ({
    words: `--lock all=${algorithm}`,
    settings: {
      locks: { ptl: algorithm, pml: algorithm, 'page-table': algorithm, zone: algorithm },
    },
    scenarios: ['write-vs-zap', 'zap-zap-zap', 'zap-vs-scan', 'first-touch', 'churn'],
  })),
  ...['ticket', 'mcs', 'rwsem', 'vma-lock'].map((lock) => ({
    words: `-p lock=${lock}`,
    settings: { parameters: { lock } },
    scenarios: ['locktorture'],
    protocols: ['none'],
  })),
  {
    words: '--no-split-locks',
    settings: { splitLocks: false },
    scenarios: ['write-vs-zap', 'zap-vs-scan', 'fork-vs-zap', 'churn', 'write-vs-pressure'],
  },
  {
    words: '--rcu announced',
    settings: { rcu: 'announced' },
    scenarios: ['write-vs-zap', 'gup-fast-zap-scan', 'rcutorture'],
  },
  {
    words: '--alloc-fail 200000',
    settings: { allocFail: 200_000 },
    scenarios: [
      'churn',
      'walkers-vs-reclaim',
      'uffd-monitor',
      'swapin-vs-zap',
      'willneed-vs-zap',
      'migrate-vs-zap',
      'migrate-write-zap',
    ],
  },
  {
    words: '--alloc-fail 300000, tableFree: ipi',
    settings: { allocFail: 300_000, gatherFallback: 'ipi' },
    scenarios: ['gup-fast-vs-munmap', 'write-vs-munmap', 'full-gather'],
    protocols: ['none'],
  },
  {
    words: '--alloc-fail 300000, tableFree: sync',
    settings: { allocFail: 300_000, gatherFallback: 'sync' },
    scenarios: ['write-vs-zap', 'gup-fast-vs-zap', 'read-zap-zap', 'write-vs-munmap'],
    protocols: ['none', 'pt-reclaim'],
  },
  ...option('percpu-refcount', 'switchBack', 'on'),
  ...option('percpu-refcount', 'switchLock', 'global'),
  ...option('table-rwsem', 'scope', 'pmd'),
  ...option('table-rwsem', 'free', 'now'),
  ...option('async-scanner', 'guided', 'counts'),
  ...option('async-scanner', 'opt', 'in'),
  ...option('zap-second-walk', 'flush', 'locked'),
  ...option('pt-reclaim', 'reverify', 'rest'),
];

/** Every litmus scenario once more with an option of a protocol. */
function option(protocol: string, name: string, value: string): Variation[] {
  const parameters = { [`${protocol}.${name}`]: value };
  const words = `-p ${protocol}.${name}=${value}`;
  return [{ words, settings: { parameters }, scenarios: [], protocols: [protocol] }];
}

export function mutationCases(): MutationCase[] {
  const litmus = scenariosIn('scenarios/litmus');
  const others = [...scenariosIn('scenarios'), ...scenariosIn('bench/scenarios')];
  const cases: MutationCase[] = [];
  for (const scenario of litmus) cases.push(...casesOf(scenario, spokenOf(scenario)));
  for (const scenario of others) cases.push(...casesOf(scenario, ALL));
  for (const variation of VARIATIONS) {
    const { scenarios } = variation;
    const named = [...litmus, ...others].filter((each) => scenarios.includes(baseName(each)));
    for (const scenario of scenarios.length === 0 ? litmus : named)
      cases.push(...variedCases(scenario, variation));
  }
  return cases;
}

function scenariosIn(folder: string): Scenario[] {
  const files = readdirSync(inPackage(folder)).filter((file) => file.endsWith('.yaml'));
  return files.map((file) => {
    const path = inPackage(folder, file);
    return parseScenario({ path, text: readFileSync(path, 'utf8') });
  });
}

function baseName({ name }: Scenario): string {
  return name.replace('litmus/', '');
}

function spokenOf({ file }: Scenario): string[] {
  const named = Object.keys(file.outcomes ?? {});
  if (named.includes('any')) return ALL;
  return [...new Set(['none', 'pt-reclaim', ...named])];
}

function casesOf(scenario: Scenario, protocols: readonly string[]): MutationCase[] {
  return protocols.map((protocol) => ({
    name: `${scenario.name} --protocol ${protocol}`,
    plan: planOf(scenario, protocol, {}),
  }));
}

/** What a scenario says of outcomes it does not say of other machines. */
function variedCases(
  scenario: Scenario,
  { words, settings, protocols }: Variation,
): MutationCase[] {
  return (protocols ?? ALL).map((protocol) => ({
    name: `${scenario.name} --protocol ${protocol} ${words}`,
    plan: { ...planOf(scenario, protocol, settings), outcomes: [] },
  }));
}

function planOf(scenario: Scenario, protocol: string, settings: Settings): Plan {
  return buildPlan(scenario, {
    ...{ protocol, protocolOptions: OPTIONS, seed: 1, parameters: {}, ops: ROUNDS },
    ...settings,
  });
}
