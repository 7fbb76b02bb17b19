/**
 * Others' RCU as variants: liburcu in three flavours and Concurrency Kit's epochs, where they are
 * installed. What is not is named in a note.
 */
import type { BenchOptions, Variant } from '../harness.ts';
import { compileNative, runNative, type Source } from './compile.ts';

export const RCU_PEERS = ['urcu-memb', 'urcu-qsbr', 'urcu-mb', 'ck-epoch'] as const;
export type RcuPeer = (typeof RCU_PEERS)[number];

const SOURCES: Readonly<Record<RcuPeer, Source>> = {
  'urcu-memb': urcu('urcu-memb', 'FLAVOUR_MEMB'),
  'urcu-qsbr': urcu('urcu-qsbr', 'FLAVOUR_QSBR'),
  'urcu-mb': urcu('urcu-mb', 'FLAVOUR_MB'),
  'ck-epoch': {
    name: 'ck-epoch',
    libraries: ['ck'],
    broughtBy: "Concurrency Kit, Debian's libck-dev",
  },
};

/** Part of a simulated run's time that a peer is given. */
const MEASURED_SHARE = 0.15;

export function peerSection(peer: RcuPeer): string {
  return `${peer}, section`;
}

export function peerGrace(peer: RcuPeer): string {
  return `${peer}, grace period`;
}

export function rcuPeers({ ms }: BenchOptions): { variants: Variant[]; notes: string[] } {
  const peerMs = String(Math.ceil(ms * MEASURED_SHARE));
  const variants: Variant[] = [];
  const notes: string[] = [];
  for (const peer of RCU_PEERS) {
    const program = compileNative(SOURCES[peer]);
    if ('missing' in program) {
      notes.push(program.missing);
      continue;
    }
    const { path } = program;
    if (peer === 'urcu-qsbr')
      notes.push(`a section of ${peer} compiles to nothing: what is left is the loop`);
    const sections = { name: peerSection(peer), unit: 'ns' } as const;
    const periods = { name: peerGrace(peer), unit: 'us' } as const;
    variants.push(
      { ...sections, sample: () => timed(path, 'section', peerMs) },
      { ...periods, sample: async () => (await timed(path, 'grace', peerMs)) / 1000 },
    );
  }
  return { variants, notes };
}

function urcu(name: RcuPeer, define: string): Source {
  const broughtBy = "liburcu, Debian's liburcu-dev";
  return { name, file: 'urcu', defines: [define], libraries: [name], broughtBy };
}

async function timed(path: string, what: 'section' | 'grace', ms: string): Promise<number> {
  return ((await runNative(path, [what, ms])) as { ns: number }).ns;
}
