/** For tests: small random programs as models, with locks, waits, choices and quiet accesses. */
import fc from 'fast-check';
import { type CpuRef, GATE, type Gate, type QuietWatch } from '#arena/gate';
import type { Model } from '../model-machine.ts';
import type { Coroutine } from '../stepped-tree.ts';

export type ProgramOp =
  | { op: 'read' | 'add'; at: number }
  | {
      op: 'write' | 'wait' | 'compareExchange' | 'peekThenPoke' | 'follow' | 'choose';
      at: number;
      value: number;
    }
  | { op: 'locked' | 'trylocked'; lock: number; at: number; value: number };

export type Program = readonly (readonly ProgramOp[])[];

const WORDS = 3;
const LOCKS = 2;

/**
 * Words 0-2 are data, of which 0 is waited for and changed by no quiet access; then two locks; then
 * what each CPU has read, all in one number.
 */
export class RandomModel implements Model {
  readonly cpus: number;
  readonly initial: Int32Array;
  /** Told of the quiet accesses. */
  watch: QuietWatch | undefined;
  private readonly program: Program;

  constructor(program: Program) {
    this.program = program;
    this.cpus = program.length;
    this.initial = new Int32Array(WORDS + LOCKS + program.length);
  }

  *column(cpu: CpuRef, words: Int32Array, gate: Gate): Coroutine {
    const own = WORDS + LOCKS + cpu.id;
    const see = (value: number) => {
      words[own] = Math.imul(words[own]!, 31) + value + 1;
    };
    for (const each of this.program[cpu.id]!) {
      switch (each.op) {
        case 'read':
          if (gate.pass(cpu, GATE.read, each.at, 0)) yield;
          see(words[each.at]!);
          break;
        case 'write':
          if (gate.pass(cpu, GATE.write, each.at, 0)) yield;
          words[each.at] = each.value;
          break;
        case 'add':
          if (gate.pass(cpu, GATE.add, each.at, 0)) yield;
          see(words[each.at]!++);
          break;
        case 'compareExchange':
          if (gate.pass(cpu, GATE.compareExchange, each.at, 0)) yield;
          see(words[each.at]!);
          if (words[each.at] === 0) words[each.at] = each.value;
          break;
        case 'wait':
          if (gate.pass(cpu, GATE.wait, 0, each.value)) yield;
          see(words[0]!);
          break;
        case 'peekThenPoke': {
          if (gate.pass(cpu, GATE.read, each.at, 0)) yield;
          see(words[each.at]!);
          if (words[each.at] !== 0) this.pokeQuietly(words, 1 + (each.at % 2), each.value);
          break;
        }
        case 'follow': {
          // Quietly from word to word, as far as it finds `value`: so which words it touches
          // depends on what others have done.
          if (gate.pass(cpu, GATE.read, each.at, 0)) yield;
          let word = each.at;
          for (; words[word] === each.value && word + 1 < WORDS; word++)
            this.watch?.quiet(word + 1, 1, false);
          see(3 * word + words[word]!);
          if (word + 1 === WORDS) this.pokeQuietly(words, word, words[word]! + 1);
          break;
        }
        case 'choose':
          if (gate.pass(cpu, GATE.read, each.at, 0)) yield;
          see(words[each.at]! + 7 * gate.choose!(cpu, 2));
          if (words[own]! & 1) this.pokeQuietly(words, 1 + (each.at % 2), each.value);
          break;
        case 'locked':
          if (gate.pass(cpu, GATE.acquire, WORDS + each.lock, 0)) yield;
          words[WORDS + each.lock] = 1;
          this.pokeQuietly(words, 1 + (each.at % 2), each.value);
          if (gate.pass(cpu, GATE.add, (each.at + 1) % WORDS, 0)) yield;
          see(words[(each.at + 1) % WORDS]!++);
          if (gate.pass(cpu, GATE.store, WORDS + each.lock, 0)) yield;
          words[WORDS + each.lock] = 0;
          break;
        case 'trylocked':
          if (gate.pass(cpu, GATE.compareExchange, WORDS + each.lock, 0)) yield;
          see(words[WORDS + each.lock]!);
          if (words[WORDS + each.lock] !== 0) break;
          words[WORDS + each.lock] = 1;
          if (gate.pass(cpu, GATE.write, each.at, 0)) yield;
          words[each.at] = each.value;
          if (gate.pass(cpu, GATE.store, WORDS + each.lock, 0)) yield;
          words[WORDS + each.lock] = 0;
      }
    }
    return 'done';
  }

  check(): null {
    return null;
  }

  private pokeQuietly(words: Int32Array, at: number, value: number): void {
    this.watch?.quiet(at, 1, true);
    words[at] = value;
  }
}

const at = fc.nat(WORDS - 1);
const value = fc.nat(2);
const lock = fc.nat(LOCKS - 1);

const programOp = (kinds: readonly ProgramOp['op'][]): fc.Arbitrary<ProgramOp> =>
  fc.record({ op: fc.constantFrom(...kinds), at, value, lock });

/** Two or three CPUs with two to five operations each, fewer of them where there are three CPUs. */
export function programs(kinds: readonly ProgramOp['op'][]): fc.Arbitrary<Program> {
  const column = (maxLength: number) => fc.array(programOp(kinds), { minLength: 1, maxLength });
  return fc.oneof(
    fc.tuple(column(4), column(4)),
    fc.tuple(column(2), column(2), column(2)),
    fc.tuple(column(3), column(2), column(1)),
  );
}
