/** The groups of the bench by name. Each is its own module, loaded when it is asked for. */
import { UserError } from '#base/user-error';
import type { Group } from './harness.ts';

const GROUPS: Readonly<Record<string, () => Promise<Group>>> = {
  faults: async () => (await import('./faults.ts')).faults,
  locks: async () => (await import('./locks.ts')).locks,
  rcu: async () => (await import('./rcu.ts')).rcu,
  exploration: async () => (await import('./exploration.ts')).exploration,
  bytes: async () => (await import('./bytes.ts')).bytes,
  start: async () => (await import('./start.ts')).start,
  'lock-stat': async () => (await import('./lock-stat.ts')).lockStat,
  stepped: async () => (await import('./stepped.ts')).stepped,
  native: async () => (await import('./native/group.ts')).native,
};

/** Run when no group is named. */
const BY_DEFAULT = ['faults', 'locks', 'rcu', 'exploration', 'bytes', 'start'];

/** The names asked for, or those by default. */
export function chosenGroups(names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (Object.hasOwn(GROUPS, name)) continue;
    throw new UserError(`no group "${name}"; groups: ${Object.keys(GROUPS).join(', ')}`);
  }
  return names.length > 0 ? names : BY_DEFAULT;
}

export function loadGroup(name: string): Promise<Group> {
  return GROUPS[name]();
}
