/** The programs that can record: whether they can here, and how they are called. */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { CALL_NAMES } from '#scenario/trace/system-call';

export type Tool = 'perf' | 'strace';

const TRACEFS = '/sys/kernel/tracing';
const FAULTS = ['exceptions:page_fault_user', 'exceptions:page_fault_kernel'];
/** Pages of the ring of each CPU: few machines have memory to spare for many large ones. */
const RING_PAGES = { most: 4096, least: 1024, cpusOfMost: 16 } as const;

/** Path of an executable file, looked for as a shell would; null: there is none. */
export function findProgram(name: string, searchPath: string): string | null {
  const folders = name.includes('/') ? [''] : searchPath.split(delimiter);
  for (const folder of folders) {
    const path = folder === '' ? name : join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here; perhaps in the next folder.
    }
  }
  return null;
}

/** Why `tool` cannot record here, and how to get it to; null: nothing is known to be in its way. */
export function problemOf(tool: Tool, searchPath: string): string | null {
  if (findProgram(tool, searchPath) === null) {
    const pack = tool === 'perf' ? 'linux-perf' : 'strace';
    return `${tool} is not installed (on Debian: apt-get install ${pack})`;
  }
  return tool === 'perf' ? tracingProblem() : null;
}

function tracingProblem(): string | null {
  try {
    readdirSync(TRACEFS);
  } catch (error) {
    const isDenied = (error as NodeJS.ErrnoException).code === 'EACCES';
    if (isDenied) return `perf needs ${TRACEFS}, which only root may read; record as root`;
    return `perf needs tracepoints, and this system has no ${TRACEFS}`;
  }
  if (!existsSync(join(TRACEFS, 'events')))
    return `perf needs tracepoints; as root: mount -t tracefs nodev ${TRACEFS}`;
  if (!existsSync(join(TRACEFS, 'events/syscalls')))
    return 'perf needs tracepoints of system calls, which this kernel lacks (FTRACE_SYSCALLS)';
  const paranoid = Number(readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'));
  if (userInfo().uid !== 0 && paranoid > -1)
    return (
      `perf may not trace faults while kernel.perf_event_paranoid is ${paranoid}; ` +
      'record as root, or as root: sysctl kernel.perf_event_paranoid=-1'
    );
  return null;
}

/** Words that make perf record `command` into the file `data`, with a ring that loses little. */
export function perfRecordWords(data: string, command: readonly string[]): string[] {
  const calls = CALL_NAMES.flatMap((name) => [`sys_enter_${name}`, `sys_exit_${name}`])
    .filter((event) => existsSync(join(TRACEFS, 'events/syscalls', event)))
    .map((event) => `syscalls:${event}`);
  const hasFaults = existsSync(join(TRACEFS, 'events/exceptions/page_fault_user'));
  const events = [...(hasFaults ? FAULTS : ['page-faults']), ...calls].join(',');
  const isLarge = availableParallelism() > RING_PAGES.cpusOfMost;
  const ring = isLarge ? RING_PAGES.least : RING_PAGES.most;
  return [
    ...['record', '-q', '-d', '-c', '1', '-k', 'CLOCK_MONOTONIC', '-m', `${ring}`],
    ...['-o', data, '-e', events, '--', ...command],
  ];
}

/** Words that make perf print what `importPerf` reads. */
export function perfScriptWords(data: string): string[] {
  return [
    ...['script', '-i', data, '--ns', '-F', 'trace:pid,tid,time,event,trace'],
    ...['-F', 'sw:pid,tid,time,event,addr'],
    ...['--show-task-events', '--show-mmap-events', '--show-lost-events'],
  ];
}

/** Words that make strace write what `importStrace` reads into the file `text`. */
export function straceWords(text: string, command: readonly string[]): string[] {
  const calls = [...CALL_NAMES, 'clone', 'clone3', 'fork', 'vfork', 'execve'];
  // A name that this strace does not know is no mistake.
  const filter = `trace=${calls.map((name) => `?${name}`).join(',')}`;
  return [
    ...['-f', '--seccomp-bpf', '-ttt', '-qq', '-e', filter, '-e', 'signal=none'],
    ...['-o', text, '--', ...command],
  ];
}
