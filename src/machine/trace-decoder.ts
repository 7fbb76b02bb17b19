/**
 * Records of the trace (trace/tracing.ts) as plain events, in words: each lock, call site and
 * awaited thing is named once, however often it is met.
 */
import { LOCK_MODE } from '#arena/layout/lock-stat';
import { TRACE_DETAIL, TRACE_RECORD } from '#arena/layout/trace';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { NamedLockSite } from '#derive/tree';
import type { TracedLock, TraceEvent } from '#result/run-trace';
import type { Plan } from '#scenario/plan';
import { ACTS, actOf, actRegionOf, eventKindOf, NO_REGION } from '#trace/act';
import { durationIn } from '#trace/duration';
import { FACTS } from '#trace/fact';
import { EVENT, EVENTS } from '#trace/ring';
import { ROUNDS, TRACE } from '#trace/tracing';
import { ACTORS, LOCKS, RACES } from '#trace/vocabulary';
import { awaitedText, lockText } from './trace-places.ts';

export class TraceDecoder {
  private readonly map: ArenaMap;
  private readonly regions: readonly string[];
  private readonly sites: readonly string[];
  private readonly locks = new Map<number, TracedLock>();
  private readonly awaited = new Map<number, string>();

  constructor(map: ArenaMap, plan: Plan, lockSites: readonly NamedLockSite[]) {
    this.map = map;
    this.regions = plan.regions.map(({ name }) => name);
    this.sites = lockSites.map((site) => `${site.function} (${site.path}:${site.line})`);
  }

  /** The record at `at`, which is of `kind`; null: it is none. */
  event(words: Words, at: number, kind: number): TraceEvent | null {
    const ns = durationIn(words, at + TRACE_RECORD.time);
    const a = words[at + TRACE_RECORD.a]!;
    const b = words[at + TRACE_RECORD.b]!;
    const word = words[at + TRACE_RECORD.kind]!;
    const first = (word >>> TRACE_DETAIL.first) & TRACE_DETAIL.mask;
    const second = (word >>> TRACE_DETAIL.second) & TRACE_DETAIL.mask;
    const third = (word >>> TRACE_DETAIL.third) & TRACE_DETAIL.mask;
    switch (kind) {
      case TRACE.event:
        return this.ringEvent(ns, a, b, words[at + TRACE_RECORD.c]!);
      case TRACE.round:
        return { ns, kind: 'operation', operation: { act: ROUNDS[a]!, where: null } };
      case TRACE.operationEnd:
        return { ns, kind: 'operationEnd' };
      case TRACE.enter:
      case TRACE.leave:
        return { ns, kind: kind === TRACE.enter ? 'enter' : 'leave', actor: ACTORS[first]! };
      case TRACE.lockWait:
        return { ns, kind: 'lockWait', lock: this.lock(first, a), site: this.site(b) };
      case TRACE.lockWaitEnd:
        return { ns, kind: 'lockWaitEnd', lock: this.lock(first, a) };
      case TRACE.acquired: {
        const isShared = second === LOCK_MODE.shared;
        return { ns, kind: 'acquired', lock: this.lock(first, a), isShared, site: this.site(b) };
      }
      case TRACE.released:
        return { ns, kind: 'released', lock: this.lock(first, a) };
      case TRACE.releasedAll:
        return { ns, kind: 'releasedAll', class: LOCKS[first]! };
      case TRACE.wordWait:
      case TRACE.wordWaitEnd:
        return { ns, kind: kind === TRACE.wordWait ? 'wait' : 'waitEnd', awaited: this.word(a) };
      case TRACE.section:
      case TRACE.sectionEnd:
        return { ns, kind: kind === TRACE.section ? 'section' : 'sectionEnd' };
      case TRACE.race: {
        const [noticedBy, causedBy] = [ACTORS[second]!, ACTORS[third]!];
        return { ns, kind: 'race', race: RACES[first]!, noticedBy, causedBy };
      }
      case TRACE.fact:
        return { ns, kind: 'fact', fact: FACTS[first]! };
      default:
        return null;
    }
  }

  private ringEvent(ns: number, kindWord: number, a: number, b: number): TraceEvent {
    const kind = eventKindOf(kindWord);
    if (kind !== EVENT.operation) {
      const slot = kind === EVENT.hook || kind === EVENT.unhook ? b : null;
      return { ns, kind: 'table', event: EVENTS[kind]!, table: a, slot };
    }
    const region = actRegionOf(kindWord);
    const where =
      region === NO_REGION
        ? null
        : { region: this.regions[region]!, page: a >>> 0, pages: b >>> 0 };
    return { ns, kind: 'operation', operation: { act: ACTS[actOf(kindWord)]!, where } };
  }

  private lock(lockClass: number, place: number): TracedLock {
    const key = place * LOCKS.length + lockClass;
    let lock = this.locks.get(key);
    if (lock === undefined) {
      lock = { class: LOCKS[lockClass]!, name: lockText(this.map, lockClass, place) };
      this.locks.set(key, lock);
    }
    return lock;
  }

  private word(at: number): string {
    let text = this.awaited.get(at);
    if (text === undefined) {
      text = awaitedText(this.map, at);
      this.awaited.set(at, text);
    }
    return text;
  }

  private site(site: number): string | null {
    return this.sites[site - 1] ?? null;
  }
}
