/**
 * What a command may touch of the world: two streams, files and facts about the machine. The
 * process provides them in earnest (`process-io.ts`), a test provides its own.
 */
import type { Result } from '#result/result';

export interface Stream {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width to lay text out for. */
  readonly columns: number;
  /** Whether colours are wanted here. */
  readonly isColoured: boolean;
}

/** A file that appears whole or not at all. */
export interface PendingFile {
  /** The text, or its pieces one after another; or bytes. */
  commit(text: string | Uint8Array | Iterable<string>): void;
  /** Leaves nothing behind; does nothing after `commit`. */
  discard(): void;
}

export interface Io {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly version: string;
  readonly machine: Result['machine'];
  /** Both throw a `UserError` that says why the file cannot be read. */
  readText(path: string): string;
  readBytes(path: string): Uint8Array;
  /** What the build has put beside the program. */
  readAsset(name: 'report-page.js' | 'report-page.css'): string;
  /** Throws a `UserError` when `path` could not be written; makes nothing visible yet. */
  openPending(path: string): PendingFile;
}
