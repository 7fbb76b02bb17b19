/**
 * From the records of one CPU to stretches of time: beginnings and ends are brought together.
 *
 * An end whose beginning was dropped makes a slice from the time since which the track is complete;
 * a beginning whose end never came, one to the end of the recording. Where an inner slice was left
 * without its end (the machine halted), it ends with the outer one.
 */
import type { TracedLock, TracedOperation, TraceEvent, TraceTrack } from '#result/run-trace';

export type Details = Readonly<Record<string, string | number | boolean>>;

export interface Slice {
  readonly name: string;
  readonly category: 'operation' | 'actor' | 'wait' | 'lock' | 'rcu' | 'phase';
  readonly beganNs: number;
  readonly endedNs: number;
  readonly details: Details;
}

/** A wait for a lock; `isOver`: it was got in the end. */
export interface LockWait extends Slice {
  readonly lock: TracedLock;
  readonly isOver: boolean;
}

export interface Hold extends Slice {
  readonly lock: TracedLock;
  /** Whether it was seen to be released. */
  readonly isReleased: boolean;
}

export interface Instant {
  readonly name: string;
  readonly category: 'race' | 'fact' | 'table' | 'violation' | 'trace';
  readonly ns: number;
  readonly details: Details;
}

/** What one CPU did. What nests does so in `doings`; the others may overlap as they like. */
export interface Slices {
  /** Operations, what the CPU acts as, and waits. Inner ones come before outer ones. */
  readonly doings: readonly Slice[];
  /** Those of the doings that wait for locks. */
  readonly lockWaits: readonly LockWait[];
  readonly sections: readonly Slice[];
  readonly holds: readonly Hold[];
  readonly instants: readonly Instant[];
}

/** `endNs`: when recording ended. */
export function slicesOf(track: TraceTrack, endNs: number): Slices {
  const pairing = new Pairing(track);
  for (const event of track.events) pairing.take(event);
  return pairing.finish(endNs);
}

/** Something that has begun and nests. */
interface Frame {
  readonly kind: 'operation' | 'actor' | 'lockWait' | 'wait';
  /** What an end must name to be the end of this; `any` for operations. */
  readonly key: string | TracedLock;
  readonly name: string;
  readonly beganNs: number;
  readonly details: Details;
}

interface OpenHold {
  readonly beganNs: number;
  readonly isShared: boolean;
  readonly details: Details;
}

const NOTHING: Details = {};
const UNFINISHED: Details = { unfinished: true };
const BEGAN_EARLIER: Details = { beganEarlier: true };
const CATEGORY: Readonly<Record<Frame['kind'], Slice['category']>> = {
  ...{ operation: 'operation', actor: 'actor' },
  ...{ lockWait: 'wait', wait: 'wait' },
};
/** All operations end alike. */
const ANY = 'any';

class Pairing {
  private readonly track: TraceTrack;
  private readonly frames: Frame[] = [];
  private readonly open = new Map<TracedLock, OpenHold[]>();
  private sectionNs: number | null = null;
  private hasOperation = false;
  private readonly doings: Slice[] = [];
  private readonly lockWaits: LockWait[] = [];
  private readonly sections: Slice[] = [];
  private readonly holds: Hold[] = [];
  private readonly instants: Instant[] = [];

  constructor(track: TraceTrack) {
    this.track = track;
  }

  take(event: TraceEvent): void {
    const { ns } = event;
    switch (event.kind) {
      case 'operation':
        this.beginOperation(ns, event.operation);
        break;
      case 'operationEnd':
        this.endOperation(ns);
        break;
      case 'enter':
        this.begin(ns, 'actor', event.actor, event.actor, NOTHING);
        break;
      case 'leave':
        this.end(ns, 'actor', event.actor, event.actor);
        break;
      case 'lockWait': {
        const details = event.site === null ? NOTHING : { site: event.site };
        this.begin(ns, 'lockWait', event.lock, waitName(event.lock.name), details);
        break;
      }
      case 'lockWaitEnd':
        this.end(ns, 'lockWait', event.lock, waitName(event.lock.name));
        break;
      case 'wait':
        this.begin(ns, 'wait', event.awaited, waitName(event.awaited), NOTHING);
        break;
      case 'waitEnd':
        this.end(ns, 'wait', event.awaited, waitName(event.awaited));
        break;
      case 'acquired':
        this.acquire(event);
        break;
      case 'released':
        this.release(ns, event.lock);
        break;
      case 'releasedAll':
        this.releaseAll(ns, event.class);
        break;
      case 'section':
        this.sectionNs = ns;
        break;
      case 'sectionEnd':
        this.endSection(ns);
        break;
      default:
        this.instants.push(instantOf(event));
    }
  }

  finish(endNs: number): Slices {
    while (this.frames.length > 0) this.close(this.frames.length - 1, endNs, UNFINISHED);
    for (const [lock, open] of this.open)
      for (const hold of open) this.hold(lock, hold, endNs, false);
    if (this.sectionNs !== null) this.section(this.sectionNs, endNs, UNFINISHED);
    const { doings, lockWaits, sections, holds, instants } = this;
    return { doings, lockWaits, sections, holds, instants };
  }

  private beginOperation(ns: number, { act, where }: TracedOperation): void {
    this.hasOperation = true;
    this.begin(ns, 'operation', ANY, act, where === null ? NOTHING : { ...where });
  }

  /** One that had nothing to do ends without having begun. */
  private endOperation(ns: number): void {
    if (this.hasOperation && !this.frames.some(({ kind }) => kind === 'operation')) return;
    this.hasOperation = true;
    this.end(ns, 'operation', ANY, 'operation');
  }

  private begin(
    beganNs: number,
    kind: Frame['kind'],
    key: Frame['key'],
    name: string,
    details: Details,
  ): void {
    this.frames.push({ kind, key, name, beganNs, details });
  }

  private end(ns: number, kind: Frame['kind'], key: Frame['key'], name: string): void {
    const at = this.frames.findLastIndex((frame) => frame.kind === kind && frame.key === key);
    if (at >= 0) {
      while (this.frames.length > at + 1) this.close(this.frames.length - 1, ns, UNFINISHED);
      this.close(at, ns, NOTHING);
    } else if (this.track.dropped > 0) {
      const frame = { kind, key, name, beganNs: this.track.sinceNs, details: BEGAN_EARLIER };
      this.add(frame, ns, NOTHING);
    }
  }

  /** The frame at `at`, which is the innermost. */
  private close(at: number, endedNs: number, more: Details): void {
    this.add(this.frames.pop()!, endedNs, more, at);
  }

  /** The parts of a wait for a lock say nothing that it does not say itself. */
  private add(frame: Frame, endedNs: number, more: Details, depth = 0): void {
    const { kind, key, name, beganNs } = frame;
    if (kind === 'wait' && depth > 0 && this.frames[depth - 1]!.kind === 'lockWait') return;
    const details = { ...frame.details, ...more };
    const slice: Slice = { name, category: CATEGORY[kind], beganNs, endedNs, details };
    if (typeof key === 'string') this.doings.push(slice);
    else {
      const wait = { ...slice, lock: key, isOver: more !== UNFINISHED };
      this.doings.push(wait);
      this.lockWaits.push(wait);
    }
  }

  private acquire({ ns, lock, isShared, site }: TraceEvent & { kind: 'acquired' }): void {
    const mode = isShared ? { shared: true } : NOTHING;
    const details = site === null ? mode : { site, ...mode };
    const open = this.open.get(lock) ?? [];
    open.push({ beganNs: ns, isShared, details });
    this.open.set(lock, open);
  }

  private release(ns: number, lock: TracedLock): void {
    const hold = this.open.get(lock)?.pop();
    if (hold !== undefined) this.hold(lock, hold, ns, true);
    else if (this.track.dropped > 0) {
      const earlier = { beganNs: this.track.sinceNs, isShared: false, details: BEGAN_EARLIER };
      this.hold(lock, earlier, ns, true);
    }
  }

  /** Which locks those were whose taking has been dropped, nobody knows. */
  private releaseAll(ns: number, lockClass: string): void {
    for (const [lock, open] of this.open) {
      if (lock.class !== lockClass) continue;
      for (const hold of open.filter(({ isShared }) => !isShared)) this.hold(lock, hold, ns, true);
      this.open.set(
        lock,
        open.filter(({ isShared }) => isShared),
      );
    }
  }

  private hold(lock: TracedLock, hold: OpenHold, endedNs: number, isReleased: boolean): void {
    const { beganNs } = hold;
    const details = isReleased ? hold.details : { ...hold.details, ...UNFINISHED };
    const slice = { name: lock.name, category: 'lock', beganNs, endedNs, details } as const;
    this.holds.push({ ...slice, lock, isReleased });
  }

  private endSection(ns: number): void {
    if (this.sectionNs !== null) this.section(this.sectionNs, ns, NOTHING);
    else if (this.track.dropped > 0 && this.sections.length === 0)
      this.section(this.track.sinceNs, ns, BEGAN_EARLIER);
    this.sectionNs = null;
  }

  private section(beganNs: number, endedNs: number, details: Details): void {
    const slice = { name: 'read section', category: 'rcu', beganNs, endedNs, details } as const;
    this.sections.push(slice);
  }
}

function waitName(awaited: string): string {
  return `wait for ${awaited}`;
}

function instantOf(event: TraceEvent & { kind: 'race' | 'fact' | 'table' }): Instant {
  const { ns } = event;
  if (event.kind === 'race') {
    const { race, noticedBy, causedBy } = event;
    return { name: race, category: 'race', ns, details: { noticedBy, causedBy } };
  }
  if (event.kind === 'fact') return { name: event.fact, category: 'fact', ns, details: NOTHING };
  const { event: what, table, slot } = event;
  const details = slot === null ? NOTHING : { slot };
  return { name: `${what} table ${table}`, category: 'table', ns, details };
}
