/**
 * What is sampled of a run for the plots of its report: page-table memory and RSS, the occupancy of
 * the address space, and what the CPUs do. All of it is bounded, and taken by the main thread.
 */
import { nowNs } from '#arena/clock';
import { PHASE } from '#arena/layout/control';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { Occupancy, OccupancySample } from '#result/occupancy';
import type { Timeline, TimelineSample } from '#result/timeline';
import type { Plan } from '#scenario/plan';
import { rssKiB, vmpteKiB } from './harvest.ts';
import { OccupancySampler } from './occupancy.ts';
import { Samples } from './samples.ts';
import { TimelineSampler } from './timeline.ts';

const SERIES_MAX = 400;
const OCCUPANCIES_MAX = 60;
const MOMENTS_MAX = 240;
/** The pause after a look at the address space is so many times as long as the quickest so far. */
const OCCUPANCY_PAUSES = 50;
const NS_PER_MS = 1e6;

type Point = [ms: number, kib: number];

/** The figures as the result has them; times are since the main phase began. */
export interface Sampled {
  readonly vmpteKiB: Point[];
  readonly rssKiB: Point[];
  readonly occupancy: Occupancy | null;
  readonly timeline: Timeline | null;
}

export class Sampler {
  private readonly words: Words;
  private readonly map: ArenaMap;
  private readonly occupancy: OccupancySampler;
  private readonly timeline: TimelineSampler;
  private readonly vmpte: Samples<Point>;
  private readonly rss: Samples<Point>;
  private readonly occupancies: Samples<OccupancySample>;
  private readonly moments: Samples<TimelineSample>;
  private isOver = false;
  private quickestMs = Number.POSITIVE_INFINITY;

  constructor(plan: Plan, words: Words, map: ArenaMap, everyMs: number) {
    this.words = words;
    this.map = map;
    this.occupancy = new OccupancySampler(plan, words, map);
    this.timeline = new TimelineSampler(plan, words, map);
    this.vmpte = new Samples(SERIES_MAX, everyMs);
    this.rss = new Samples(SERIES_MAX, everyMs);
    this.occupancies = new Samples(OCCUPANCIES_MAX, everyMs);
    this.moments = new Samples(MOMENTS_MAX, everyMs);
  }

  /** Whatever is due at `ms` in the main phase or the fair one. */
  sample(ms: number, phase: number): void {
    const { words, map } = this;
    if (phase > PHASE.fair || this.isOver) return;
    if (this.vmpte.isDue(ms)) this.vmpte.add(ms, [ms, vmpteKiB(words, map)]);
    if (this.rss.isDue(ms)) this.rss.add(ms, [ms, rssKiB(words, map)]);
    if (this.occupancies.isDue(ms)) this.sampleOccupancy(ms);
    if (phase > PHASE.main) return;
    this.timeline.copyRings(ms);
    if (this.moments.isDue(ms)) this.moments.add(ms, this.timeline.take(ms));
  }

  /** The state in which the fair phase ends, whatever is due; later there is no process. */
  sampleEnd(ms: number): void {
    const { words, map } = this;
    if (this.isOver) return;
    this.isOver = true;
    this.vmpte.add(ms, [ms, vmpteKiB(words, map)]);
    this.rss.add(ms, [ms, rssKiB(words, map)]);
    this.sampleOccupancy(ms);
  }

  document(): Sampled {
    return {
      ...{ vmpteKiB: this.vmpte.kept, rssKiB: this.rss.kept },
      occupancy: this.occupancy.document(this.occupancies.kept),
      timeline: this.moments.kept.length === 0 ? null : this.timeline.document(this.moments.kept),
    };
  }

  private sampleOccupancy(ms: number): void {
    const beganNs = nowNs();
    const sample = this.occupancy.take(ms);
    // A look during which the host ran another thread says nothing of what it costs.
    this.quickestMs = Math.min(this.quickestMs, (nowNs() - beganNs) / NS_PER_MS);
    this.occupancies.add(ms, sample, OCCUPANCY_PAUSES * this.quickestMs);
  }
}
