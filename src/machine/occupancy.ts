/**
 * Takes the occupancy of the address space while CPUs change it: an own walk over the upper tables
 * to the descriptors of the PTE tables, which takes no lock. Every index is checked, and a table
 * that goes at that moment is counted as it was found. Where an unhooked table stood only the
 * rings know, as far as they reach back.
 */
import { type Pmd, pmdTable, pmdTablePresent } from '#arch/pmd';
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { EVENT_RECORD, EVENTS_MAX, PERCPU } from '#arena/layout/percpu';
import {
  FRAME,
  frameLevelOf,
  frameStateOf,
  PTDESC,
  PTDESC_SHIFT,
  USE_COUNT_MASK,
} from '#arena/layout/ptdesc';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { Occupancy, OccupancySample, OccupiedSpan } from '#result/occupancy';
import type { Plan } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';
import { eventKindOf } from '#trace/act';
import { EVENT } from '#trace/ring';

const BUCKETS_MAX = 256;
/** Of more spans than these, one is made, with what lies between them. */
const SPANS_MAX = 32;
/** Slots that are looked at for one sample, and descriptors. */
const LOOKS_MAX = 2 ** 20;
const PAGE_KIB = 4;

export class OccupancySampler {
  private readonly words: Words;
  private readonly map: ArenaMap;
  private readonly form: Omit<Occupancy, 'samples'>;
  private readonly buckets: number;

  constructor(plan: Plan, words: Words, map: ArenaMap) {
    this.words = words;
    this.map = map;
    const spans = spansOf(plan);
    const slots = spans.reduce((sum, span) => sum + span.slots, 0);
    const slotsPerBucket = Math.max(1, Math.ceil(slots / (BUCKETS_MAX - spans.length)));
    this.form = {
      slotKiB: PAGE_KIB * 2 ** plan.ptrsShift,
      slotsPerBucket,
      slotStep: Math.ceil(slots / LOOKS_MAX) || 1,
      spans: spans.map((span) => ({ ...span, buckets: Math.ceil(span.slots / slotsPerBucket) })),
    };
    this.buckets = this.form.spans.reduce((sum, span) => sum + span.buckets, 0);
  }

  take(ms: number): OccupancySample {
    const none = (): number[] => new Array<number>(this.buckets).fill(0);
    const sample = { ms, live: none(), empty: none(), unhooked: none(), unplaced: 0 };
    let bucket = 0;
    for (const span of this.form.spans) {
      this.countHooked(sample, span, bucket);
      bucket += span.buckets;
    }
    this.countUnhooked(sample);
    return sample;
  }

  /** Null: there is no address space to look at. */
  document(samples: readonly OccupancySample[]): Occupancy | null {
    return this.buckets === 0 ? null : { ...this.form, samples: [...samples] };
  }

  /** Tables that are hooked in the slots of `span`, into the buckets from `bucket` on. */
  private countHooked(sample: OccupancySample, span: OccupiedSpan, bucket: number): void {
    const { words, map } = this;
    const { slotStep, slotsPerBucket } = this.form;
    const { ptrsShift } = map.geometry;
    const ptrs = 1 << ptrsShift;
    const end = span.firstSlot + span.slots;
    for (let slot = span.firstSlot; slot < end; ) {
      const entries = this.pmdEntries(slot);
      const next = slot - (slot % ptrs) + ptrs;
      for (; slot < Math.min(next, end); slot += slotStep) {
        const entry = entries === 0 ? 0 : words[entries + (slot % ptrs)]!;
        if (entry === 0) continue;
        const state = this.tableBy(entry, 0);
        if (state === null) continue;
        const at = bucket + Math.floor((slot - span.firstSlot) / slotsPerBucket);
        if ((words[state + PTDESC.use]! & USE_COUNT_MASK) === 0) sample.empty[at]!++;
        else sample.live[at]!++;
      }
    }
  }

  /** Where the entries of the PMD table that covers `slot` begin; 0: there is none. */
  private pmdEntries(slot: number): number {
    const { words, map } = this;
    const { levels, ptrsShift } = map.geometry;
    let body = this.bodyOf(words[map.mm + MM.pgd]!, levels - 1);
    for (let level = levels - 1; level > 1 && body !== 0; level--) {
      const index = Math.floor(slot / 2 ** (ptrsShift * (level - 1))) & ((1 << ptrsShift) - 1);
      const descriptor = this.tableBy(words[body + index]!, level - 1);
      body =
        descriptor === null
          ? 0
          : this.bodyOf((descriptor - map.ptdescs) >> PTDESC_SHIFT, level - 1);
    }
    return body;
  }

  /** The descriptor of the table of `level` that `entry` leads to; null: it leads to none. */
  private tableBy(entry: number, level: number): number | null {
    if (!pmdTablePresent(entry as Pmd)) return null;
    const table = pmdTable(entry as Pmd);
    return this.isTable(table, level) ? this.map.ptdescs + (table << PTDESC_SHIFT) : null;
  }

  private bodyOf(table: number, level: number): number {
    const { words, map } = this;
    if (!this.isTable(table, level)) return 0;
    const body = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.body]!;
    if (body <= 0 || body >= map.geometry.bodies) return 0;
    return map.bodies + (body << map.geometry.ptrsShift);
  }

  private isTable(table: number, level: number): boolean {
    const { words, map } = this;
    if (table <= 0 || table >= map.geometry.tables) return false;
    const state = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.state]!;
    return frameStateOf(state) === FRAME.table && frameLevelOf(state) === level;
  }

  private countUnhooked(sample: OccupancySample): void {
    for (const slot of this.unhookedSlots().values()) {
      const bucket = this.bucketOf(slot);
      if (bucket < 0) sample.unplaced++;
      else sample.unhooked[bucket]!++;
    }
    const placed = sample.unhooked.reduce((sum, count) => sum + count, 0);
    sample.unplaced = Math.max(sample.unplaced, this.unhookedTables() - placed);
  }

  /** Tables that the rings say were unhooked, and are so still, with the slot of each. */
  private unhookedSlots(): Map<number, number> {
    const { words, map } = this;
    const found = new Map<number, { slot: number; timeUs: number }>();
    for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
      const block = map.percpu + cpu * map.percpuWords;
      const count = words[block + PERCPU.eventCount]!;
      for (let i = Math.max(0, count - EVENTS_MAX); i < count; i++) {
        const at = block + PERCPU.events + (i & (EVENTS_MAX - 1)) * EVENT_RECORD.sizeWords;
        if (eventKindOf(words[at + EVENT_RECORD.kind]!) !== EVENT.unhook) continue;
        const table = words[at + EVENT_RECORD.a]!;
        if (!this.isUnhooked(table)) continue;
        const timeUs = words[at + EVENT_RECORD.timeUs]!;
        const before = found.get(table);
        if (before === undefined || ((timeUs - before.timeUs) | 0) >= 0)
          found.set(table, { slot: words[at + EVENT_RECORD.b]!, timeUs });
      }
    }
    return new Map([...found].map(([table, { slot }]) => [table, slot]));
  }

  /** All PTE tables that are unhooked and not free yet; of very many, those looked at. */
  private unhookedTables(): number {
    const { words, map } = this;
    const end = Math.min(words[CONTROL.tableFresh]!, map.geometry.tables, LOOKS_MAX);
    let tables = 0;
    for (let table = 1; table < end; table++) if (this.isUnhooked(table)) tables++;
    return tables;
  }

  private isUnhooked(table: number): boolean {
    const { words, map } = this;
    if (table <= 0 || table >= map.geometry.tables) return false;
    const state = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.state]!;
    return frameStateOf(state) === FRAME.unhooked && frameLevelOf(state) === 0;
  }

  private bucketOf(slot: number): number {
    let bucket = 0;
    for (const { firstSlot, slots, buckets } of this.form.spans) {
      if (slot >= firstSlot && slot < firstSlot + slots)
        return bucket + Math.floor((slot - firstSlot) / this.form.slotsPerBucket);
      bucket += buckets;
    }
    return -1;
  }
}

/** The slots of the regions; those that share a slot make one span. */
function spansOf(plan: Plan): Omit<OccupiedSpan, 'buckets'>[] {
  const ptrs = 2 ** plan.ptrsShift;
  const spans: { name: string; firstSlot: number; slots: number }[] = [];
  for (const [i, start] of regionStarts(plan).entries()) {
    const { name, pages } = plan.regions[i]!;
    const firstSlot = Math.floor(start / ptrs);
    const end = Math.ceil((start + pages) / ptrs);
    const latest = spans.at(-1);
    if (latest !== undefined && firstSlot < latest.firstSlot + latest.slots) {
      latest.name += `, ${name}`;
      latest.slots = end - latest.firstSlot;
    } else spans.push({ name, firstSlot, slots: end - firstSlot });
  }
  if (spans.length <= SPANS_MAX) return spans;
  const [first] = spans;
  const last = spans.at(-1)!;
  const slots = last.firstSlot + last.slots - first!.firstSlot;
  return [{ name: `${plan.regions.length} regions`, firstSlot: first!.firstSlot, slots }];
}
