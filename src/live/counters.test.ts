/** Facts about what the kernel says of memory, where it can be asked. */
import { closeSync, openSync } from 'node:fs';
import { platform } from 'node:process';
import { expect, test } from 'vitest';
import { PAGE_SIZE_BYTES } from '#base/units';
import { Counters } from './counters.ts';

const syscalls = await import('./syscalls.ts').catch(() => null);

/** Mappings of which smaps says more than its buffer holds at first. */
const MAPPINGS = 8000;
const START = 0x6000_0000_0000;
const BYTES = MAPPINGS * PAGE_SIZE_BYTES;

test.skipIf(syscalls === null || platform !== 'linux')(
  'a resident page is seen behind thousands of mappings',
  () => {
    const { loadSyscalls, PROTECTION } = syscalls!;
    const { mmap, mprotect, munmap, read } = loadSyscalls();
    expect(mmap(START, BYTES, PROTECTION.write, true)).toBe(true);
    for (let i = 0; i < MAPPINGS; i += 2)
      expect(mprotect(START + i * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, PROTECTION.read)).toBe(true);
    const zero = openSync('/dev/zero', 'r');
    const last = START + BYTES - PAGE_SIZE_BYTES;
    expect(read(zero, last, PAGE_SIZE_BYTES)).toBe(PAGE_SIZE_BYTES);
    closeSync(zero);
    const counters = new Counters();
    expect(counters.rssKiB(START, START + BYTES)).toBe(4);
    expect(counters.present(last - PAGE_SIZE_BYTES, 2)).toBe('1');
    munmap(START, BYTES);
  },
);
