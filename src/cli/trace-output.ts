/** Where `--trace` goes: a file that appears whole or not at all, with the trace of one run. */
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import type { RunTrace } from '#result/run-trace';
import type { Plan } from '#scenario/plan';
import { commandText } from './campaign.ts';
import type { Context } from './command-line.ts';
import { integerFlag } from './flags.ts';
import type { PendingFile } from './io.ts';

/** Events that each CPU keeps, if nobody says otherwise: some 4 MB of the file. */
export const TRACE_EVENTS = 65_536;

/** The most: in the machine they take 24 MB for each CPU, in the file some 65 MB. */
const TRACE_EVENTS_MAX = 1_000_000;

export interface TraceFlags {
  readonly trace?: string;
  readonly traceEvents?: number;
  readonly rounds: number;
  readonly json?: string;
  readonly html?: string;
}

export function addTraceFlags(command: Command): Command {
  return command
    .option('--trace <file>', 'write a trace of the run for Perfetto or chrome://tracing')
    .option(
      '--trace-events <n>',
      `events that each CPU keeps for the trace (default ${TRACE_EVENTS})`,
      integerFlag('--trace-events', 1, TRACE_EVENTS_MAX),
    );
}

/** What the plan is asked for: 0 where no trace is wanted. */
export function traceEventsOf({ trace, traceEvents }: TraceFlags): number {
  if (trace !== undefined) return traceEvents ?? TRACE_EVENTS;
  if (traceEvents === undefined) return 0;
  throw new UserError('--trace-events is the size of a trace; give --trace FILE as well');
}

/** Takes a trace and keeps it until it is written. */
export interface TraceOutput {
  take(trace: RunTrace): void;
  /** Writes what was taken, if anything was; says what it is, or nothing. */
  write(): Promise<string>;
  discard(): void;
}

/** Opens the file before the run, so that a path that cannot be written costs no run. */
export function openTraceOutput(
  context: Context,
  plans: readonly Plan[],
  { trace: target, rounds, json, html }: TraceFlags,
): TraceOutput | null {
  if (target === undefined) return null;
  if (target === '-') throw new UserError('--trace writes a file; stdout is for --json');
  if (target === json || target === html)
    throw new UserError(
      `--trace and --${target === json ? 'json' : 'html'} name the same file "${target}"`,
    );
  if (plans.length > 1)
    throw new UserError(
      `--trace tells of one run, and ${plans.length} protocols are ${plans.length} runs; ` +
        'choose one with --protocol NAME',
    );
  if (rounds > 1) throw new UserError(`--trace tells of one run; leave out --rounds ${rounds}`);
  const file = context.io.openPending(target);
  let taken: RunTrace | null = null;
  return {
    take(trace) {
      taken = trace;
    },
    write: async () => (taken === null ? '' : writeTrace(context, plans[0], taken, target, file)),
    discard: () => file.discard(),
  };
}

async function writeTrace(
  { io, words }: Context,
  plan: Plan,
  trace: RunTrace,
  target: string,
  file: PendingFile,
): Promise<string> {
  const { traceEventText } = await import('#report/trace/trace-event');
  const { traceNote } = await import('#report/trace/note');
  const { scenario, seed, cpus, broken } = plan;
  const heading = {
    pttorture: io.version,
    command: commandText(words),
    ...{ scenario, cpus, seed },
    ...(broken === null ? {} : { broken }),
    node: io.machine.node,
    cores: io.machine.cores,
  };
  let sizeBytes = 0;
  function* counted(): Generator<string> {
    for (const piece of traceEventText(trace, heading)) {
      sizeBytes += Buffer.byteLength(piece);
      yield piece;
    }
  }
  file.commit(counted());
  return traceNote(trace, target, sizeBytes);
}
