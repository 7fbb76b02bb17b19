/** The simulator as a peer of the live kernel: a machine of one CPU in this thread. */
import type { Batch, Peer, Readings } from '#live/peer';
import type { LoneMachine } from '#machine/lone-machine';
import type { Reading } from '#result/reading';
import type { Plan } from '#scenario/plan';

/** What a machine that has halted reads: nothing that the kernel could. */
export const HALTED: Reading = { vmpteKiB: -1, rssKiB: -1, refused: -1, present: [] };

export class SimulatedPeer implements Peer {
  private readonly machine: LoneMachine;

  constructor(machine: LoneMachine) {
    this.machine = machine;
  }

  async run(plan: Plan, { ops, checkpoints }: Batch): Promise<Readings> {
    this.machine.boot(plan);
    let done = 0;
    const readings = checkpoints.map(({ after, watched }) => {
      const goesOn = this.machine.do(ops.slice(done, after));
      done = after;
      return goesOn ? this.machine.read(watched) : { ...HALTED, present: watched.map(() => '') };
    });
    return { readings, isStill: true };
  }
}
