/**
 * What the kernel tells a process of its own memory: VmPTE of all of it, the resident pages of a
 * range, and which pages are present. Files are opened once, and read into one buffer each, so that
 * reading hardly moves the figures that are read.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { PAGE_SIZE_BYTES } from '#base/units';
import { showPresent } from '#result/reading';

/** Bytes of an entry of pagemap, and in its highest one the bit that says present. */
const PAGEMAP_ENTRY_BYTES = 8;
const PRESENT_IN_LAST_BYTE = 0x80;
/** How often VmPTE is read before two readings in a row must be alike. */
const TRIES_MAX = 10;

export class Counters {
  private readonly status = openSync('/proc/self/status', 'r');
  private readonly pagemap = openSync('/proc/self/pagemap', 'r');
  private readonly statusText = Buffer.alloc(8192);
  private smapsText = Buffer.alloc(4 << 20);
  private pagemapEntries = Buffer.alloc(8 * 1024 * PAGEMAP_ENTRY_BYTES);

  /** Page tables of the process, in KiB: read until two readings in a row agree. */
  vmpteKiB(): number {
    let last = this.readVmpte();
    for (let i = 0; i < TRIES_MAX; i++) {
      const next = this.readVmpte();
      if (next === last) break;
      last = next;
    }
    return last;
  }

  private readVmpte(): number {
    const length = readSync(this.status, this.statusText, 0, this.statusText.length, 0);
    return numberAfter(this.statusText, length, VMPTE, 0);
  }

  /** Resident pages of the mappings in [start, end), as smaps has them, in KiB. */
  rssKiB(start: number, end: number): number {
    const length = this.readSmaps();
    const { smapsText: text } = this;
    let sum = 0;
    for (let at = 0; at < length; ) {
      const from = hexadecimalAt(text, at);
      const next = text.indexOf(VM_FLAGS, at);
      if (from >= start && from < end) sum += numberAfter(text, length, RSS, at);
      const line = next === -1 ? -1 : text.indexOf(NEWLINE, next + VM_FLAGS.length);
      if (line === -1) break;
      at = line + 1;
    }
    return sum;
  }

  /** All of smaps into its buffer; how long it is. Opened anew: to go back in it would be slow. */
  private readSmaps(): number {
    const file = openSync('/proc/self/smaps', 'r');
    let length = 0;
    for (;;) {
      if (length === this.smapsText.length)
        this.smapsText = Buffer.concat([this.smapsText], 2 * length);
      const { smapsText: text } = this;
      const read = readSync(file, text, length, text.length - length, null);
      if (read === 0) break;
      length += read;
    }
    closeSync(file);
    return length;
  }

  /** Which of the `pages` pages from `address` on are present. */
  present(address: number, pages: number): string {
    const bytes = pages * PAGEMAP_ENTRY_BYTES;
    if (bytes > this.pagemapEntries.length) this.pagemapEntries = Buffer.alloc(bytes);
    const entries = this.pagemapEntries;
    const from = (address / PAGE_SIZE_BYTES) * PAGEMAP_ENTRY_BYTES;
    for (let done = 0; done < bytes; ) {
      const read = readSync(this.pagemap, entries, done, bytes - done, from + done);
      if (read === 0) throw new Error(`pagemap ends at ${from + done}`);
      done += read;
    }
    const last = PAGEMAP_ENTRY_BYTES - 1;
    return showPresent(
      pages,
      (i) => (entries[i * PAGEMAP_ENTRY_BYTES + last]! & PRESENT_IN_LAST_BYTE) !== 0,
    );
  }
}

const VMPTE = Buffer.from('VmPTE:');
const RSS = Buffer.from('\nRss:');
/** The last line of a mapping. */
const VM_FLAGS = Buffer.from('\nVmFlags:');
const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;

/** The decimal number after `word`, which is looked for from `at` on. */
function numberAfter(text: Buffer, length: number, word: Buffer, at: number): number {
  const found = text.indexOf(word, at);
  if (found === -1 || found >= length) throw new Error(`no "${word}" from the kernel`);
  let digit = found + word.length;
  while (text[digit]! < ZERO || text[digit]! > NINE) digit++;
  let value = 0;
  for (; text[digit]! >= ZERO && text[digit]! <= NINE; digit++)
    value = 10 * value + text[digit]! - ZERO;
  return value;
}

/** The hexadecimal number at `at`: where a mapping begins. */
function hexadecimalAt(text: Buffer, at: number): number {
  let value = 0;
  for (let i = at; text[i] !== 0x2d; i++) {
    const digit = text[i]!;
    value = 16 * value + (digit <= NINE ? digit - ZERO : digit - 0x61 + 10);
  }
  return value;
}
