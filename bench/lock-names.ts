/** The names of the variants of the group `locks`. */

/** `ttas, 1 thread`, `native ticket, 8 threads`. */
export function lockName(lock: string, threads: number): string {
  return `${lock}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

export function withStatistics(lock: string, lockStat: boolean): string {
  return lockStat ? `${lock} with statistics` : lock;
}
