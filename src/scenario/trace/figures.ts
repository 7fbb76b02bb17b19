/** What a recording says of the real program in a few figures. */
import type { RecordedEvent } from './recording.ts';

/** Of the samples: the first, the highest and the last. */
export interface SampledKiB {
  readonly start: number;
  readonly peak: number;
  readonly end: number;
}

export interface RecordingFigures {
  /** Pages touched, as often as they were. */
  readonly touchedPages: number;
  /** Events after the last sample, as of a program that ends. */
  readonly unsampled: number;
  /** Null: there are no samples. */
  readonly vmpteKiB: SampledKiB | null;
  readonly rssKiB: SampledKiB | null;
}

export function figuresOf(events: readonly RecordedEvent[]): RecordingFigures {
  let touchedPages = 0;
  let unsampled = 0;
  let vmpteKiB: SampledKiB | null = null;
  let rssKiB: SampledKiB | null = null;
  for (const event of events) {
    unsampled++;
    if (event.kind === 'sample') {
      unsampled = 0;
      vmpteKiB = sampled(vmpteKiB, event.vmpteKiB);
      rssKiB = sampled(rssKiB, event.rssKiB);
    } else if (event.kind === 'read' || event.kind === 'write') {
      touchedPages += event.pages;
    }
  }
  return { touchedPages, unsampled, vmpteKiB, rssKiB };
}

function sampled(before: SampledKiB | null, kib: number): SampledKiB {
  if (before === null) return { start: kib, peak: kib, end: kib };
  return { start: before.start, peak: Math.max(before.peak, kib), end: kib };
}
