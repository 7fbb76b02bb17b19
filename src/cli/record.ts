/** `pttorture record`: what a real program does with its memory becomes a trace file. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import { formatCounted, formatKiB } from '#report/format';
import { figuresOf } from '#scenario/trace/figures';
import type { Recording } from '#scenario/trace/recording';
import { commandText } from './campaign.ts';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { isTraceFile, packTrace, TRACE_ENDING } from './trace-file.ts';

export function addRecord(program: Command, context: Context, act: Act): void {
  program
    .command('record')
    .description('record what a program does with its memory, to be run as a scenario')
    .usage('[options] -- PROGRAM ARGS...')
    .argument('[command...]', 'the program, and what it is given')
    .option('--output <file>', `the trace to write, FILE${TRACE_ENDING}; default: PROGRAM's name`)
    .option('--with <tool>', `perf, or strace, which sees no touches; default: ${DEFAULT_TOOL}`)
    .option('--import <file>', 'read what perf script or strace -f -ttt -o wrote elsewhere')
    .action((command: string[], options: RecordOptions) =>
      act(() =>
        (options.import === undefined ? recordProgram : recordImport)(context, command, options),
      ),
    );
}

const TOOLS = ['perf', 'strace'] as const;
const DEFAULT_TOOL = 'perf where it can';

interface RecordOptions {
  readonly output?: string;
  readonly with?: string;
  readonly import?: string;
}

async function recordProgram(
  context: Context,
  command: readonly string[],
  { output, with: word }: RecordOptions,
): Promise<ExitCode> {
  const [program] = command;
  if (program === undefined)
    throw new UserError('no program given; write pttorture record -- PROGRAM ARGS');
  const tool = word === undefined ? null : choose('tool', word, TOOLS);
  const path = outputPath(output, basename(program));
  const { engine, io, signal } = context;
  const file = io.openPending(path);
  try {
    const { recording, ending, note } = await engine.record({ command, tool, signal });
    const packed = packTrace(recording);
    file.commit(packed);
    if (note !== null) io.stderr.write(`${note}: so strace was taken, and touches are assumed\n`);
    if (ending !== null) io.stderr.write(`${program} ended with ${ending}\n`);
    // What the program itself prints is alone on stdout.
    io.stderr.write(summary(recording, packed.length, path));
    return signal.aborted ? EXIT.interrupted : EXIT.well;
  } catch (error) {
    if (!signal.aborted || !(error instanceof UserError)) throw error;
    // What was recorded breaks off where there is nothing to read yet.
    io.stderr.write(`${program} was interrupted before anything of it was recorded\n`);
    return EXIT.interrupted;
  } finally {
    file.discard();
  }
}

async function recordImport(
  context: Context,
  command: readonly string[],
  { output, with: tool, import: source = '' }: RecordOptions,
): Promise<ExitCode> {
  if (command.length > 0)
    throw new UserError('--import reads a text and runs nothing; leave the program out');
  if (tool !== undefined)
    throw new UserError('--import sees by itself what made the text; leave --with out');
  const path = outputPath(output, basename(source).replace(/\.txt$/, ''));
  const { engine, io } = context;
  const file = io.openPending(path);
  try {
    const recording = await engine.importRecording(source);
    const packed = packTrace(recording);
    file.commit(packed);
    io.stdout.write(summary(recording, packed.length, path));
    return EXIT.well;
  } finally {
    file.discard();
  }
}

function outputPath(given: string | undefined, otherwise: string): string {
  if (given === undefined) return `${otherwise}${TRACE_ENDING}`;
  if (isTraceFile(given)) return given;
  throw new UserError(`--output "${given}" is no name of a trace; end it in ${TRACE_ENDING}`);
}

function summary({ header, events }: Recording, bytes: number, path: string): string {
  const { leftOut, threads, touches } = header;
  const { touchedPages, vmpteKiB } = figuresOf(events);
  const tables = vmpteKiB === null ? 'not sampled' : `at most ${formatKiB(vmpteKiB.peak)}`;
  const { lost, otherProcesses } = leftOut;
  const missing = [
    ...(lost === 0 ? [] : [`${formatCounted(lost, 'event')} lost, `]),
    ...(otherProcesses === 0 ? [] : [`${otherProcesses} of other processes left out, `]),
  ].join('');
  return (
    `${formatCounted(events.length, 'event')} of ${formatCounted(threads, 'thread')}, ${missing}` +
    `${formatCounted(touchedPages, 'page')} touched${touches === 'assumed' ? ' (assumed)' : ''}, ` +
    `VmPTE ${tables}, ${formatKiB(Math.ceil(bytes / 1024))} in ${path}; ` +
    `run it: ${commandText(['run', path])}\n`
  );
}
