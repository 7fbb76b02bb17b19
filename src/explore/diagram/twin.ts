/**
 * A machine like another one, for one execution that somebody looks on at: at the stepper's gate,
 * in its place.
 */
import type { Gate, QuietWatch } from '#arena/gate';
import type { Execution } from '../execution.ts';
import { SteppedMachine } from '../stepped-machine.ts';
import { Stepper } from '../stepper.ts';
import type { Strategy } from '../strategy.ts';

/** Asks the stepper what it is asked; told of quiet accesses as well. */
export type Onlooker = Gate & QuietWatch;

export class Twin {
  readonly machine: SteppedMachine;
  private readonly original: SteppedMachine;

  /** `onlookerFor`: called when the columns begin, and `onLeave` when the stepper is done. */
  constructor(
    original: SteppedMachine,
    stepsMax: number | undefined,
    onlookerFor: (stepper: Stepper) => Onlooker,
    onLeave: () => void = () => {},
  ) {
    const { tree, plan, map } = original;
    const setGate = (gate: Gate | null): void => {
      const onlooker = gate instanceof Stepper ? onlookerFor(gate) : null;
      if (onlooker === null) onLeave();
      tree.gate.setQuietWatch(onlooker);
      tree.gate.setGate(onlooker ?? gate);
    };
    // Who watches is the onlooker's affair, whatever the strategy wants to know.
    const setQuietWatch = (): void => {};
    const borrowed = { ...tree, gate: { ...tree.gate, setGate, setQuietWatch } };
    this.original = original;
    this.machine = new SteppedMachine(borrowed, plan, map.geometry, stepsMax);
  }

  execute(strategy: Strategy): Execution {
    const { tree } = this.original;
    try {
      return this.machine.execute(strategy, 0);
    } finally {
      tree.gate.setQuietWatch(null);
      // The tree is bound to the twin now.
      tree.user = null;
    }
  }
}
