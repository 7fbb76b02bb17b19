/** The protocols by name, with their options as the command line and scenarios may set them. */
import type { ReclaimProtocol } from '#mm/reclaim-protocol';
import { AsyncScanner } from './async-scanner.ts';
import { NoReclaim } from './none.ts';
import { PtReclaim } from './pt-reclaim.ts';

export interface ProtocolOption {
  readonly type: 'duration' | 'size' | 'integer' | 'percent' | 'choice';
  /** As a person would write it, e.g. `100ms`. */
  readonly default: string;
  readonly choices?: readonly string[];
  readonly summary: string;
}

export interface ProtocolEntry {
  readonly name: string;
  readonly summary: string;
  /** Paper, series or commit that it follows. */
  readonly source: string;
  readonly options: Readonly<Record<string, ProtocolOption>>;
}

export const PROTOCOLS: readonly ProtocolEntry[] = [
  {
    name: 'none',
    summary: 'no reclaim: empty PTE tables stay until munmap or exit (the control)',
    source: 'Linux 6.5 to 6.13',
    options: {},
  },
  {
    name: 'async-scanner',
    summary: 'a periodic scan unhooks tables found empty under both locks',
    source: 'RFC "asynchronously scan and free empty user PTE pages", June 2024',
    options: {
      delay: { type: 'duration', default: '100ms', summary: 'time between two passes' },
      size: { type: 'size', default: '256MiB', summary: 'address space that one pass covers' },
      where: {
        type: 'choice',
        default: 'task-work',
        choices: ['task-work', 'kthread'],
        summary: 'who scans: tasks on return to user space, or a kernel thread',
      },
    },
  },
  {
    name: 'pt-reclaim',
    summary: 'MADV_DONTNEED of a whole table frees it inside the zap',
    source: 'Linux 6.14, CONFIG_PT_RECLAIM (commit 6375e95f381e)',
    options: {},
  },
];

/** The protocol `name` with its resolved `options`. Unknown names are the caller's mistake. */
export function makeProtocol(
  name: string,
  options: Readonly<Record<string, number | string | boolean>>,
): ReclaimProtocol {
  switch (name) {
    case 'none':
      return new NoReclaim();
    case 'async-scanner':
      return new AsyncScanner(options['where'] !== 'kthread');
    case 'pt-reclaim':
      return new PtReclaim();
    default:
      throw new Error(`no protocol "${name}"`);
  }
}
