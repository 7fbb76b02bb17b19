/**
 * Runs a program and records what it does with its memory: perf (or strace) notes calls and faults,
 * while this process reads how large the program's page tables are.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { basename, join } from 'node:path';
import { PAGE_SIZE_BYTES } from '#base/units';
import { UserError } from '#base/user-error';
import { RecordingBuilder } from '#scenario/trace/builder';
import { importPerf } from '#scenario/trace/import-perf';
import { importStrace } from '#scenario/trace/import-strace';
import type { Recording, RecordingHeader } from '#scenario/trace/recording';
import { Sampler } from './sampler.ts';
import { textLines } from './text-lines.ts';
import {
  findProgram,
  perfRecordWords,
  perfScriptWords,
  problemOf,
  straceWords,
  type Tool,
} from './tools.ts';

export interface RecordRequest {
  /** The program, and what it is given. */
  readonly command: readonly string[];
  /** Null: perf where it can, else strace. */
  readonly tool: Tool | null;
  /** Where programs are looked for, as `PATH` has it. */
  readonly searchPath: string;
  /** A folder for what is recorded, which is removed afterwards. */
  readonly scratch: string;
  readonly clocks: Clocks;
  /** Ends the program; what was recorded by then is kept. */
  readonly signal: AbortSignal;
}

/** Seconds since the machine has been up, and since 1970, as the kernel counts them. */
export interface Clocks {
  monotonic(): number;
  realtime(): number;
}

export interface Recorded {
  readonly recording: Recording;
  /** How the program ended, if not well: `exit code 3`, `SIGTERM`. */
  readonly ending: string | null;
  /** Why perf was not taken, where that is so. */
  readonly note: string | null;
}

/** Throws a `UserError` where nothing can be recorded; says what is missing. */
export async function record(request: RecordRequest): Promise<Recorded> {
  const { command, searchPath } = request;
  const [program, ...words] = command;
  if (program === undefined || findProgram(program, searchPath) === null)
    throw new UserError(`cannot run "${program ?? ''}": no executable file of that name`);
  const { tool, note } = chooseTool(request);
  const recordedAt = new Date(request.clocks.realtime() * 1000).toISOString();
  const file = join(request.scratch, tool === 'perf' ? 'perf.data' : 'strace.txt');
  const recordWords = tool === 'perf' ? perfRecordWords : straceWords;
  const { samples, ending } = await watch(request, tool, recordWords(file, command));
  if (!existsSync(file) || statSync(file).size === 0)
    throw new UserError(`${tool} could not record (${ending ?? 'it recorded nothing'})`);
  const builder = new RecordingBuilder(tool === 'strace', samples);
  if (tool === 'strace') importStrace(textLines(file), 'strace', builder);
  else importPerf(textLines(await printPerf(request, file)), 'perf', builder);
  const recording = builder.finish({
    program: basename(program),
    // What is on this machine's disks is nobody's business.
    arguments: words.map((word) => word.replace(/^([^/=]*=)?\/.*\//, '$1')),
    recordedAt,
    ...FACTS[tool],
    ...systemFacts(),
  });
  return { recording, ending, note };
}

const FACTS = {
  perf: { recordedWith: 'perf', touches: 'recorded' },
  strace: { recordedWith: 'strace', touches: 'assumed' },
} as const satisfies Record<Tool, Partial<RecordingHeader>>;

function systemFacts(): Pick<RecordingHeader, 'kernel' | 'pageSize' | 'transparentHugePages'> {
  let huge = 'unknown';
  try {
    const modes = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8');
    huge = /\[(\w+)\]/.exec(modes)?.[1] ?? huge;
  } catch {
    huge = 'never';
  }
  return { kernel: release(), pageSize: PAGE_SIZE_BYTES, transparentHugePages: huge };
}

function chooseTool({ tool, searchPath }: RecordRequest): { tool: Tool; note: string | null } {
  const perf = problemOf('perf', searchPath);
  if (tool !== 'strace' && perf === null) return { tool: 'perf', note: null };
  if (tool === 'perf') throw new UserError(`cannot record with perf: ${perf}`);
  const strace = problemOf('strace', searchPath);
  if (strace === null) return { tool: 'strace', note: tool === 'strace' ? null : perf };
  if (tool === 'strace') throw new UserError(`cannot record with strace: ${strace}`);
  throw new UserError(`nothing here can record: ${perf}; ${strace}`);
}

/** How long a program that is told to end may take. */
const END_MS = 3000;

/** Runs the recording program until the recorded one has ended. */
async function watch(
  { clocks, signal }: RecordRequest,
  tool: Tool,
  words: readonly string[],
): Promise<{ samples: Sampler['samples']; ending: string | null }> {
  const child = spawn(tool, words, { stdio: 'inherit' });
  const ended = endOf(child);
  if (child.pid === undefined) return { samples: [], ending: await ended };
  const sampler = new Sampler(child.pid, tool === 'perf' ? clocks.monotonic : clocks.realtime);
  let last: NodeJS.Timeout | null = null;
  const end = (): void => {
    kill(sampler.programId() ?? child.pid!, 'SIGTERM');
    last = setTimeout(() => kill(sampler.programId() ?? child.pid!, 'SIGKILL'), END_MS);
  };
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    const ending = await ended;
    return { samples: sampler.samples, ending };
  } finally {
    signal.removeEventListener('abort', end);
    if (last !== null) clearTimeout(last);
    sampler.stop();
  }
}

/** Null: it ended well. */
function endOf(child: ReturnType<typeof spawn>): Promise<string | null> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, name) =>
      resolve(name !== null ? name : code === 0 ? null : `exit code ${code}`),
    );
  });
}

function kill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** Lets perf print its own file; the path of the text. */
async function printPerf({ scratch }: RecordRequest, data: string): Promise<string> {
  const path = join(scratch, 'perf.txt');
  const text = openSync(path, 'w');
  try {
    const child = spawn('perf', perfScriptWords(data), { stdio: ['ignore', text, 'ignore'] });
    const ending = await endOf(child);
    if (ending !== null) throw new UserError(`perf could not print what it recorded (${ending})`);
    return path;
  } finally {
    closeSync(text);
  }
}
