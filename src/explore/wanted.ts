/**
 * Whether a violation is of the kind that is looked for. Nobody going on is a deadlock where one
 * CPU runs at a time; where all run, it shows as whichever watch notices first.
 */

const HANGS = ['deadlock', 'livelock', 'rcu-stall'];

export function isOfKind(kind: string, wanted: string): boolean {
  return kind === wanted || (HANGS.includes(kind) && HANGS.includes(wanted));
}
