/**
 * The flags that say what is run, whatever runs it: they make the request for a plan, and a replay
 * word carries those that were set.
 */

import type { Command } from 'commander';
import type { BrokenVersion, Settings } from '#catalogue/broken-version';
import type { PlanRequest } from '#scenario/build-plan';
import { choose } from './choices.ts';
import type { LoadedScenario } from './engine.ts';
import { integerFlag, type LockChoices, lockFlag, settingFlag } from './flags.ts';

export interface PlanFlags {
  readonly cpus?: number;
  readonly seed: number;
  readonly parameter?: Readonly<Record<string, string>>;
  readonly lock?: LockChoices;
  readonly splitLocks: boolean;
  readonly gather?: number;
  readonly allocFail?: number;
  readonly tableFree?: (typeof TABLE_FREE)[number];
  readonly walkers?: (typeof WALKERS)[number];
  readonly pwc?: (typeof PWC)[number];
  readonly shootdown?: (typeof SHOOTDOWN)[number];
}

const SEED = 1;
const TABLE_FREE = ['rcu', 'ipi', 'sync', 'now'] as const;
const TABLE_FREE_SUMMARY = 'a table alone, where its batch finds no memory: rcu, ipi, sync or now';
const WALKERS = ['fixed', 'as-posted'] as const;
const PWC = ['all', 'range'] as const;
const PWC_SUMMARY = 'paging-structure caches drop all when tables go, or the range flushed';
const SHOOTDOWN = ['ipi', 'broadcast'] as const;
const SHOOTDOWN_SUMMARY = 'how a flush reaches other CPUs: by ipi, or broadcast by hardware';
const WALKERS_SUMMARY = 'what walkers do without a table: fixed, or as-posted, with the flaws';

export function addPlanFlags(command: Command): Command {
  return command
    .option('--cpus <n>', 'simulated CPUs', integerFlag('--cpus', 1))
    .option('--seed <n>', 'seed of all chance', integerFlag('--seed', 0, 2 ** 32 - 1), SEED)
    .option('-p, --parameter <name=value>', 'set NAME, or PROTOCOL.OPTION', settingFlag)
    .option('--lock <class=name>', 'lock algorithms, e.g. ptl=mcs,pml=ticket', lockFlag)
    .option('--no-split-locks', 'one page-table lock for the whole mm')
    .option('--gather <n>', 'pages that one mmu gather holds', integerFlag('--gather', 1))
    .option(
      '--alloc-fail <n>',
      'allocations that fail, per million',
      integerFlag('--alloc-fail', 0, 1_000_000),
    )
    .option('--table-free <how>', TABLE_FREE_SUMMARY, tableFree)
    .option('--walkers <form>', WALKERS_SUMMARY, walkers)
    .option('--pwc <part>', PWC_SUMMARY, pwc)
    .option('--shootdown <how>', SHOOTDOWN_SUMMARY, shootdown);
}

function tableFree(how: string): (typeof TABLE_FREE)[number] {
  return choose('way to free a table', how, TABLE_FREE);
}

function walkers(form: string): (typeof WALKERS)[number] {
  return choose('form of walkers', form, WALKERS);
}

function pwc(part: string): (typeof PWC)[number] {
  return choose('part of the paging-structure cache', part, PWC);
}

function shootdown(how: string): (typeof SHOOTDOWN)[number] {
  return choose('way to flush', how, SHOOTDOWN);
}

/** What all plans of one command have in common: same seed, same everything but the protocol. */
export function requestOf(
  scenario: LoadedScenario,
  broken: BrokenVersion | null,
  flags: PlanFlags,
): Omit<PlanRequest, 'protocol' | 'protocolOptions'> {
  const own = flagsIn(broken === null ? {} : settingsFor(broken, scenario));
  return {
    seed: flags.seed,
    cpus: flags.cpus ?? own.cpus,
    parameters: { ...own.parameter, ...flags.parameter },
    locks: { ...own.lock, ...flags.lock },
    splitLocks: flags.splitLocks && own.splitLocks,
    noise: broken?.noise,
    gather: flags.gather ?? own.gather,
    gatherFallback: flags.tableFree ?? own.tableFree,
    allocFail: flags.allocFail ?? own.allocFail,
    walkers: flags.walkers ?? own.walkers,
    pwc: flags.pwc ?? own.pwc,
    shootdown: flags.shootdown ?? own.shootdown,
    broken: broken?.name,
  };
}

/** Another scenario than its own has other parameters; flags and options are for all. */
function settingsFor(broken: BrokenVersion, { name }: LoadedScenario): Settings {
  const settings = Object.entries({ ...broken.conditions, ...broken.flaw });
  const isForAll = (setting: string): boolean => /^-|[.]/.test(setting);
  return Object.fromEntries(
    settings.filter(([setting]) => broken.scenario === name || isForAll(setting)),
  );
}

/**
 * The flags that were set, and the seed where it is not the usual one, as a replay word has them.
 */
export function settingsOf(flags: PlanFlags, seed: number): Record<string, string> {
  const { cpus, parameter, lock, splitLocks, gather, allocFail, tableFree: how } = flags;
  const locks = Object.entries(lock ?? {}).map(([of, algorithm]) => `${of}=${algorithm}`);
  const set: [name: string, value: string | number | undefined][] = [
    ['-seed', seed === SEED ? undefined : seed],
    ['-cpus', cpus],
    ['-lock', locks.length === 0 ? undefined : locks.join(' ')],
    ['-no-split-locks', splitLocks ? undefined : 'yes'],
    ['-gather', gather],
    ['-alloc-fail', allocFail],
    ['-table-free', how],
    ['-walkers', flags.walkers],
    ['-pwc', flags.pwc],
    ['-shootdown', flags.shootdown],
    ...Object.entries(parameter ?? {}),
  ];
  return Object.fromEntries(
    set.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

/** Settings as words of a command line. */
export function wordsOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (!name.startsWith('-')) return ['-p', `${name}=${value}`];
    if (name === '-no-split-locks') return [`-${name}`];
    return [`-${name}`, value.replaceAll(' ', ',')];
  });
}

/** The flags that `settingsOf` wrote. */
export function flagsIn(settings: Readonly<Record<string, string>>): PlanFlags {
  const parameter = Object.fromEntries(
    Object.entries(settings).filter(([name]) => !name.startsWith('-')),
  );
  const number = (flag: string, min: number): number | undefined => {
    const value = settings[flag];
    return value === undefined ? undefined : integerFlag(`-${flag}`, min)(value);
  };
  const { '-lock': lock, '-table-free': how, '-walkers': form, '-pwc': part } = settings;
  const { '-shootdown': flush } = settings;
  const given = {
    cpus: number('-cpus', 1),
    gather: number('-gather', 1),
    allocFail: number('-alloc-fail', 0),
    lock: lock === undefined ? undefined : lockFlag(lock.replaceAll(' ', ',')),
    tableFree: how === undefined ? undefined : tableFree(how),
    walkers: form === undefined ? undefined : walkers(form),
    pwc: part === undefined ? undefined : pwc(part),
    shootdown: flush === undefined ? undefined : shootdown(flush),
  };
  return {
    ...(given as Partial<PlanFlags>),
    seed: number('-seed', 0) ?? SEED,
    splitLocks: settings['-no-split-locks'] === undefined,
    parameter,
  };
}
