/** Which release let a CPU that waited for a lock go on: the arrows of a trace. */
import type { TracedLock } from '#result/run-trace';
import type { Hold, LockWait, Slices } from './slices.ts';

/** From the end of a hold on one track to the end of a wait on another. */
export interface Release {
  readonly hold: Hold;
  readonly wait: LockWait;
}

/**
 * The latest release by another CPU while it waited. That is known where no ring has lost a release
 * that came later: from `completeNs` on. Who was kept out by a turn, not by a holder, has none.
 */
export function releasesOf(tracks: readonly Slices[], completeNs: number): Release[] {
  const ended = releasedByLock(tracks);
  return tracks.flatMap(({ lockWaits }, track) =>
    lockWaits.flatMap((wait): Release[] => {
      if (!wait.isOver) return [];
      const earliest = Math.max(wait.beganNs, completeNs);
      const hold = latest(ended.get(wait.lock) ?? [], track, earliest, wait.endedNs);
      return hold === null ? [] : [{ hold, wait }];
    }),
  );
}

interface Ended {
  readonly hold: Hold;
  readonly track: number;
}

/** In order of time. */
function releasedByLock(tracks: readonly Slices[]): Map<TracedLock, Ended[]> {
  const byLock = new Map<TracedLock, Ended[]>();
  for (const [track, { holds }] of tracks.entries())
    for (const hold of holds) {
      if (!hold.isReleased) continue;
      const ended = byLock.get(hold.lock);
      if (ended === undefined) byLock.set(hold.lock, [{ hold, track }]);
      else ended.push({ hold, track });
    }
  for (const ended of byLock.values()) ended.sort((a, b) => a.hold.endedNs - b.hold.endedNs);
  return byLock;
}

/** The latest from `earliestNs` to `latestNs` by another track than `track`. */
function latest(
  ended: readonly Ended[],
  track: number,
  earliestNs: number,
  latestNs: number,
): Hold | null {
  let low = 0;
  let high = ended.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ended[middle]!.hold.endedNs <= latestNs) low = middle + 1;
    else high = middle;
  }
  for (let i = low - 1; i >= 0 && ended[i]!.hold.endedNs >= earliestNs; i--)
    if (ended[i]!.track !== track) return ended[i]!.hold;
  return null;
}
