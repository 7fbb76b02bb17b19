/**
 * Notices a CPU that spins: that has come to one passage again and again in a row of its steps, and
 * found memory as it was before. Nothing but its own state can have changed, and unless that ends
 * its tries, only another CPU does.
 *
 * One step of the row is kept and compared with those that follow; it is another one each time the
 * row has become twice as long, so that circles of any length are found. Memory is compared by a
 * sum of all changes, in which what is undone cancels out, as the taking and release of a lock.
 */
import type { Standing } from '../strategy.ts';

/** Far more often than whoever reads a table through looks at one word in between. */
const RETURNS_MAX = 16;
const NOBODY = -1;

export class Spinning {
  private standing: Standing | null = null;
  /** The step that is being taken. */
  private cpu = NOBODY;
  private op = 0;
  private at = 0;
  private found = 0;
  /** The sum of all changes. */
  private memory = 0;
  private rowSteps = 0;
  private returns = 0;
  /** The step that is kept. */
  private keptOp = 0;
  private keptAt = 0;
  private keptFound = 0;
  private keptMemory = 0;

  begin(standing: Standing): void {
    this.standing = standing;
    this.cpu = NOBODY;
  }

  /** Before a step of `cpu`. */
  before(cpu: number): void {
    const { op, at, words } = this.standing!;
    this.op = op[cpu]!;
    this.at = at[cpu]!;
    this.found = words[this.at]!;
    if (this.cpu !== cpu) this.startRow();
    this.cpu = cpu;
  }

  /** After that step: whether the CPU spins. If so, its row begins anew. */
  after(): boolean {
    const { op, at, found, memory } = this;
    this.memory = (memory + Math.imul(this.standing!.words[at]! - found, at | 1)) | 0;
    const isSame = op === this.keptOp && at === this.keptAt && found === this.keptFound;
    if (this.rowSteps > 0 && isSame && memory === this.keptMemory) this.returns++;
    const row = ++this.rowSteps;
    if ((row & (row - 1)) === 0) this.keep(memory);
    if (this.returns < RETURNS_MAX) return false;
    this.startRow();
    return true;
  }

  private startRow(): void {
    this.rowSteps = 0;
    this.returns = 0;
  }

  private keep(memory: number): void {
    this.keptOp = this.op;
    this.keptAt = this.at;
    this.keptFound = this.found;
    this.keptMemory = memory;
  }
}
