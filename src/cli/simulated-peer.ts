/** The simulator as a peer of the live kernel: a machine of one CPU in this thread. */
import { setImmediate } from 'node:timers/promises';
import { type Batch, Interrupted, type Peer, type Readings } from '#live/peer';
import type { LoneMachine } from '#machine/lone-machine';
import type { Reading } from '#result/reading';
import type { Plan } from '#scenario/plan';

/** What a machine that has halted reads: nothing that the kernel could. */
export const HALTED: Reading = { vmpteKiB: -1, rssKiB: -1, refused: -1, present: [] };

export class SimulatedPeer implements Peer {
  private readonly machine: LoneMachine;
  private readonly signal: AbortSignal | null;

  /** Throws `Interrupted` once `signal` is aborted. */
  constructor(machine: LoneMachine, signal: AbortSignal | null = null) {
    this.machine = machine;
    this.signal = signal;
  }

  async run(plan: Plan, { ops, checkpoints }: Batch): Promise<Readings> {
    this.machine.boot(plan);
    let done = 0;
    const readings: Reading[] = [];
    for (const { after, watched } of checkpoints) {
      // The machine is in this thread, which hears of signals only here.
      await setImmediate();
      if (this.signal?.aborted) throw new Interrupted();
      const goesOn = this.machine.do(ops.slice(done, after));
      done = after;
      const halted = { ...HALTED, present: watched.map(() => '') };
      readings.push(goesOn ? this.machine.read(watched) : halted);
    }
    return { readings, isStill: true };
  }
}
