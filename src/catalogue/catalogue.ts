/** All broken versions, those of one series or subject together. */

import { ATOMIC_REFCOUNT } from './atomic-refcount.ts';
import type { BrokenVersion } from './broken-version.ts';
import { CONTROLS } from './controls.ts';
import { FLUSH_AND_FREE } from './flush-and-free.ts';
import { LOCKED_COUNTS } from './locked-counts.ts';
import { PERCPU_REFCOUNT } from './percpu-refcount.ts';
import { SCANNER } from './scanner.ts';
import { WALKERS_2022 } from './walkers-2022.ts';
import { ZAP_RECLAIM } from './zap-reclaim.ts';

export const CATALOGUE: readonly BrokenVersion[] = [
  ...ZAP_RECLAIM,
  ...SCANNER,
  ...ATOMIC_REFCOUNT,
  ...LOCKED_COUNTS,
  ...PERCPU_REFCOUNT,
  ...WALKERS_2022,
  ...FLUSH_AND_FREE,
  ...CONTROLS,
];
