/**
 * Percpu refs step by step, in the stepped form: a switch whose finisher stops at each of its steps
 * in turn (S-01), and random schedules, which the broken versions do not survive.
 */
import { describe, expect, test } from 'vitest';
import type { Cpu } from '#arch/cpu';
import type { CpuRef, Gate } from '#arena/gate';
import { CONTROL } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import { REF } from '#arena/layout/percpu-ref';
import { Prng } from '#base/prng';
import type { LineEdit } from '#derive/apply-edit';
import { treeRoots } from '#derive/variants';
import { plan, TINY } from '#explore/small.suite';
import { loadSteppedTree, type SteppedTree } from '#explore/stepped-tree';
import type { Plan } from '#scenario/plan';
import type * as RefModule from './percpu-ref.ts';

const CPUS = 3;
/** The only ref that is used. */
const N = 1;

const GEOMETRY = { ...TINY, cpus: CPUS, tableWords: REF.sizeWords, tableCpuWords: 1 };
/** Far more than an execution needs. */
const STEPS_MAX = 10_000;

/** A function of the stepped form, under way. */
type Part<R> = Generator<undefined, R, undefined>;
type Stepped<F> = F extends (cpu: Cpu, n: number) => infer R
  ? (cpu: Cpu, n: number) => Part<R>
  : never;

interface Refs {
  readonly bind: typeof RefModule.bindPercpuRefs;
  readonly value: typeof RefModule.percpuRefValue;
  readonly init: Stepped<typeof RefModule.percpuRefInit>;
  readonly get: Stepped<typeof RefModule.percpuRefGet>;
  readonly put: Stepped<typeof RefModule.percpuRefPut>;
  readonly tryGet: Stepped<typeof RefModule.percpuRefTryGet>;
  readonly isZero: Stepped<typeof RefModule.percpuRefIsZero>;
  readonly toAtomic: Stepped<typeof RefModule.percpuRefSwitchToAtomic>;
  readonly toAtomicSync: Stepped<typeof RefModule.percpuRefSwitchToAtomicSync>;
  readonly toPercpu: Stepped<typeof RefModule.percpuRefSwitchToPercpu>;
  readonly boundary: (cpu: Cpu) => Part<void>;
  readonly online: (cpu: Cpu) => Part<void>;
  readonly offline: (cpu: Cpu) => Part<void>;
}

/** Several CPUs on this thread, each a coroutine that stops before each of its steps. */
class Steps implements Gate {
  readonly refs: Refs;
  readonly words: Int32Array;
  cpus: Cpu[] = [];
  private readonly tree: SteppedTree;
  private readonly waitAt = new Int32Array(CPUS);
  private readonly waitSeen = new Int32Array(CPUS);
  private parts: (Part<void> | null)[] = [];

  constructor(tree: SteppedTree, refs: Refs) {
    this.tree = tree;
    this.refs = refs;
    this.words = new Int32Array(new SharedArrayBuffer(4 * tree.map.arenaMap(GEOMETRY).sizeWords));
  }

  pass(cpu: CpuRef, op: number, at: number, seen: number): boolean {
    this.waitAt[cpu.id] = op === this.tree.gate.GATE.wait ? at : 0;
    this.waitSeen[cpu.id] = seen;
    return true;
  }

  /** A fresh machine whose ref has one reference; each CPU is about to begin its part. */
  boot(rcu: Plan['rcu'], stableSync: boolean, parts: (cpus: Cpu[]) => (Part<void> | null)[]): void {
    const { bind, clock, gate } = this.tree;
    gate.setGate(null);
    clock.setClock(() => 0);
    this.words.fill(0);
    const small = plan('none', Array(CPUS).fill([]), { rcu });
    this.tree.user = this;
    const machine = bind.bindMachine(this.words.buffer as SharedArrayBuffer, GEOMETRY, small, 0);
    this.cpus = Array.from({ length: CPUS }, (_, id) => bind.makeCpu(id, 1));
    this.alone(bind.bootMachine(this.cpus[0]!, machine) as unknown as Part<unknown>);
    const { tableWords, tableCpuWords, tableCpuStride } = this.tree.map.arenaMap(GEOMETRY);
    const places = { base: tableWords, locals: tableCpuWords, stride: tableCpuStride, cpus: CPUS };
    this.refs.bind({ ...places, perRefSwitchLock: false, stableSync });
    this.alone(this.refs.init(this.cpus[0]!, N));
    for (const cpu of this.cpus) this.alone(this.refs.online(cpu));
    this.waitAt.fill(0);
    this.parts = parts(this.cpus);
    gate.setGate(this);
  }

  isEnabled(id: number): boolean {
    if (this.parts[id] === null) return false;
    const at = this.waitAt[id]!;
    return at === 0 || this.words[at] !== this.waitSeen[id];
  }

  /** Lets CPU `id` take up to `steps` steps; false: it has come to its end, or waits. */
  run(id: number, steps = Number.POSITIVE_INFINITY): boolean {
    for (let i = 0; i < steps; i++) {
      if (!this.isEnabled(id)) return false;
      if (!this.parts[id]!.next().done) continue;
      this.parts[id] = null;
      return false;
    }
    return true;
  }

  /** Lets all take steps in a random order, until nobody can or it has taken too long. */
  runAll(prng: Prng): void {
    for (let step = 0, running = 0; step < STEPS_MAX; step++) {
      const enabled = this.parts.flatMap((_, id) => (this.isEnabled(id) ? [id] : []));
      if (enabled.length === 0) return;
      if (!enabled.includes(running) || prng.below(6) === 0)
        running = enabled[prng.below(enabled.length)]!;
      this.run(running, 1);
    }
  }

  /** Runs `part` to its end, with nobody else running. */
  alone(part: Part<unknown>): void {
    this.tree.gate.setGate(null);
    expect(part.next().done).toBe(true);
  }

  /** CPUs that have not come to their end. */
  get living(): number {
    return this.parts.filter((part) => part !== null).length;
  }

  get facts(): number {
    return this.words[CONTROL.facts]!;
  }
}

async function steps(edit: LineEdit | null = null): Promise<Steps> {
  const { stepped } = await treeRoots(edit);
  const ref = await import(new URL('sync/percpu-ref.js', stepped).href);
  const { rcuOperationEnd } = await import(new URL('mm/rcu-free.js', stepped).href);
  const { rcuOnline, rcuOffline } = await import(new URL('sync/rcu.js', stepped).href);
  return new Steps(await loadSteppedTree(stepped), {
    bind: ref.bindPercpuRefs,
    value: ref.percpuRefValue,
    init: ref.percpuRefInit,
    get: ref.percpuRefGet,
    put: ref.percpuRefPut,
    tryGet: ref.percpuRefTryGet,
    isZero: ref.percpuRefIsZero,
    toAtomic: ref.percpuRefSwitchToAtomic,
    toAtomicSync: ref.percpuRefSwitchToAtomicSync,
    toPercpu: ref.percpuRefSwitchToPercpu,
    boundary: rcuOperationEnd,
    online: rcuOnline,
    offline: rcuOffline,
  });
}

describe('S-01: the value when the synchronous switch returns', async () => {
  const machine = await steps();
  const ZAPPER = 0;
  const OTHER = 1;

  /** What the zapper finds when CPU 1 stops after `stop` steps; null: there are not so many. */
  function foundZero(stableSync: boolean, stop: number): boolean | null {
    const { refs } = machine;
    let found = false;
    function* zap(cpu: Cpu): Part<void> {
      yield* refs.toAtomicSync(cpu, N);
      yield* refs.put(cpu, N);
      found = yield* refs.isZero(cpu, N);
    }
    function* boundaries(cpu: Cpu): Part<void> {
      for (let i = 0; i < 3; i++) yield* refs.boundary(cpu);
    }
    machine.boot('qsbr', stableSync, ([zapper, other]) => [zap(zapper!), boundaries(other!), null]);
    machine.words[machine.cpus[2]!.block + PERCPU.rcuSeen] = 0;
    // The zapper sleeps until the grace period is over, which the other CPU brings about.
    machine.run(ZAPPER);
    const more = machine.run(OTHER, stop);
    machine.run(ZAPPER);
    machine.run(OTHER);
    machine.run(ZAPPER);
    // Whatever it found: in the end there is no reference.
    expect([machine.living, machine.facts, refs.value(N)]).toEqual([0, 0, 0]);
    return more ? found : null;
  }

  /** The same for each step at which the other CPU may stop. */
  function foundAtEachStop(stableSync: boolean): boolean[] {
    const found: boolean[] = [];
    for (let stop = 0; ; stop++) {
      const zero = foundZero(stableSync, stop);
      if (zero === null) return found;
      found.push(zero);
    }
  }

  test('is the value, wherever the finisher stops, with patch 02', () => {
    const found = foundAtEachStop(true);
    expect(found.length).toBeGreaterThan(20);
    expect(found).toEqual(found.map(() => true));
  });

  test('may contain the reference of the switch, as first posted', () => {
    const found = foundAtEachStop(false);
    expect(found).toContain(true);
    // Between "confirm" and the put of the switch's reference, and nowhere else.
    const wrong = found.flatMap((zero, stop) => (zero ? [] : [stop]));
    expect(wrong.length).toBeGreaterThan(0);
    expect(wrong.at(-1)! - wrong[0]!).toBe(wrong.length - 1);
  });
});

const FORMS = ['qsbr', 'announced', 'abstract'] as const;
const EXECUTIONS = 4000;
const OPERATIONS = 12;

/**
 * Random operations of all CPUs on a ref with a reference that nobody puts: it is never zero, a
 * tryget always succeeds, and in the end the count is what is held. Null: all was well.
 */
function randomExecution(machine: Steps, execution: number): string | null {
  const { refs } = machine;
  const prng = new Prng(7, execution);
  let spare = 0;
  const wrong: string[] = [];
  function* operate(cpu: Cpu): Part<void> {
    for (let i = 0; i < OPERATIONS; i++) {
      const chosen = prng.below(10);
      if (chosen < 2) {
        yield* refs.get(cpu, N);
        spare++;
      } else if (chosen < 4) {
        if (yield* refs.tryGet(cpu, N)) spare++;
        else wrong.push('a tryget failed');
      } else if (chosen < 6) {
        if (spare === 0) continue;
        spare--;
        if (yield* refs.put(cpu, N)) wrong.push('a put found zero');
      } else if (chosen === 6) {
        if (yield* refs.isZero(cpu, N)) wrong.push('zero');
      } else if (chosen === 7) yield* refs.toAtomicSync(cpu, N);
      else if (chosen === 8) yield* refs.toAtomic(cpu, N);
      else yield* refs.toPercpu(cpu, N);
      yield* refs.boundary(cpu);
    }
    yield* refs.offline(cpu);
  }
  const rcu = FORMS[(execution >> 1) % FORMS.length]!;
  machine.boot(rcu, execution % 2 === 0, (cpus) => cpus.map((cpu) => operate(cpu)));
  machine.runAll(prng);
  if (machine.living > 0) wrong.push('somebody does not come to an end');
  if (machine.facts !== 0) wrong.push('a fact');
  return wrong[0] ?? ending(machine, spare + 1);
}

/** After the last operation: callbacks run, then one more switch. */
function ending(machine: Steps, held: number): string | null {
  const { refs, cpus } = machine;
  for (const cpu of cpus) {
    for (let i = 0; i < 3; i++) machine.alone(refs.boundary(cpu));
    machine.alone(refs.offline(cpu));
  }
  machine.alone(refs.toAtomicSync(cpus[0]!, N));
  const value = refs.value(N);
  return value === held ? null : `counts ${value} of ${held} references`;
}

function firstFailure(machine: Steps): string | null {
  for (let execution = 0; execution < EXECUTIONS; execution++) {
    const failure = randomExecution(machine, execution);
    if (failure !== null) return failure;
  }
  return null;
}

test('random schedules find nothing wrong', async () => {
  expect(firstFailure(await steps())).toBeNull();
});

const BROKEN: readonly (readonly [name: string, label: string, becomes: string])[] = [
  [
    'a switch that waits for no grace period',
    'ref-grace',
    'store(cpu, refp + REF.confirm, load(cpu, CONTROL.rcuEpoch));',
  ],
  ['a switch without a reference of its own', 'ref-extra', ';'],
  [
    'a switch that takes the bias away before it adds the sum',
    'ref-fold',
    'add(cpu, refp + REF.count, REF_BIAS); add(cpu, refp + REF.count, (sum - REF_BIAS) | 0);',
  ],
  [
    'a get that acts on the mode of an earlier read section',
    'ref-get-local',
    '{ rcuReadUnlock(cpu); rcuReadLock(cpu); $& }',
  ],
  ['a switch that two CPUs finish', 'ref-claim', 'const found = confirm;'],
  ['a switch while another is pending', 'ref-pending', 'const confirm = REF_CONFIRM.none;'],
  ['locals that are not cleared', 'ref-clear-locals', ''],
  [
    'percpu mode before the count has its bias',
    'ref-bias',
    'storeRelease(cpu, refp + REF.mode, REF_MODE.percpuAgain); $&',
  ],
  [
    'a tryget that is not atomic',
    'ref-take',
    'const found = load(cpu, refp + REF.count); if (found === seen) ' +
      'store(cpu, refp + REF.count, (seen + 1) | 0);',
  ],
];

test.each(BROKEN)('%s is noticed', async (_, label, becomes) => {
  const machine = await steps({ name: `test-${label}`, label, becomes });
  expect(firstFailure(machine)).not.toBeNull();
});
