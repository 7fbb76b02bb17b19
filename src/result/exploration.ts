/**
 * What `explore` found, as one document: how far the search came, what its silence is worth, and
 * each violation with all that is needed to see it again. Units are in the names; fields may be
 * added.
 */
import type { Interleaving } from './interleaving.ts';

/** All that a replay needs: neither a scenario file nor luck. */
export interface Failure {
  /** The small plan that is executed. */
  plan: unknown;
  /** The edit that the sources ran with, whole, or null. */
  edit: unknown;
  /** The schedule in its text form. */
  schedule: string;
  /** Kind of the violation. */
  kind: string;
  message: string;
  /** How the execution ended. */
  end: string;
  /** Of each step of the main phase: CPU, kind of passage, word, and what the word held. */
  history: number[];
}

export interface ExploredViolation {
  kind: string;
  message: string;
  cpus: number[];
  /** Violations of one signature count as the same. */
  signature: string;
  /** As it was found first: seed of the plan, number of the execution, and its steps. */
  found: { planSeed: number; execution: number; steps: number };
  /** What is left of it: CPUs, operations, steps and preemptions, and the work of getting there. */
  shrunk: {
    cpus: number;
    operations: number;
    steps: number;
    preemptions: number;
    /** Whether no schedule with fewer preemptions does. */
    isMinimal: boolean;
    executions: number;
    seconds: number;
  };
  /** One word that replays it, or null where the command line cannot name the plan. */
  replay: string | null;
  failure: Failure;
  interleaving: Interleaving;
}

export interface Exploration {
  pttorture: string;
  schema: 1;
  kind: 'exploration';
  /** The command that made it, as it can be pasted into a shell. */
  command: string;
  scenario: string;
  protocol: string;
  broken: string | null;
  seed: number;
  parameters: Record<string, number | string>;
  machine: { node: string; platform: string; cores: number; memoryGiB: number };
  strategy: { name: string; depth: number | null; bound: number | null };
  cpus: number;
  searchers: number;
  seconds: number;
  executions: number;
  /** Executions given up, since they would have become like others. */
  abandoned: number;
  steps: number;
  /** Steps of the longest execution. */
  longest: number;
  traces: number;
  states: number;
  plans: number;
  /** Whether the strategy tried all that it can try. */
  isExhausted: boolean;
  isInterrupted: boolean;
  /** An estimate of how much of its tree a systematic search has gone through, 0 to 1. */
  done: number | null;
  /** Which share of the latest executions were new traces. */
  newShare: number;
  /** What executions ended in, where the scenario says what to expect. */
  outcomes: {
    outcome: string;
    expected: string;
    /** Seen `never`, `sometimes` or `always`. */
    seen: string;
    met: boolean;
  }[];
  /** One sentence: what it means that no more was found. */
  silence: string;
  violations: ExploredViolation[];
}
