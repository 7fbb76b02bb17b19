/** Which kernel runs here, and what of it matters: whether it reclaims page tables by itself. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';

/** The running kernel, and how what is said of it is known. */
export interface Kernel {
  readonly release: string;
  /** Whether MADV_DONTNEED frees the tables it empties (CONFIG_PT_RECLAIM, Linux 6.14). */
  readonly reclaims: boolean;
  /** Where that is from: the kernel's configuration, or a trial. */
  readonly source: string;
}

/** Where distributions keep the configuration of the running kernel. */
const CONFIGURATIONS = ['/proc/config.gz', `/boot/config-${release()}`];

/** `tries`: whether a DONTNEED of a whole table was seen to free it. */
export async function describeKernel(tries: () => Promise<boolean>): Promise<Kernel> {
  for (const path of CONFIGURATIONS) {
    const text = readConfiguration(path);
    if (text === null) continue;
    const reclaims = /^CONFIG_PT_RECLAIM=y$/m.test(text);
    return { release: release(), reclaims, source: path };
  }
  return { release: release(), reclaims: await tries(), source: 'a trial: no configuration found' };
}

function readConfiguration(path: string): string | null {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  } catch {
    return null;
  }
}

/** The protocol of the simulator that does as this kernel does. */
export function protocolOf(kernel: Kernel): string {
  return kernel.reclaims ? 'pt-reclaim' : 'none';
}
