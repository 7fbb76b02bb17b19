/**
 * What other explorers took for the models of `models.ts`, each written in its own language. They
 * are not run here: the figures were measured once. We know of no published rates for models of
 * this size.
 */
import type { Reference } from './harness.ts';

const MEASURED = 'measured November 2026 on one core of a 2-core Xeon virtual machine, Linux 6.18';
const RELACY = `relacy, C++, github.com/dvyukov/relacy; ${MEASURED}`;
const SHUTTLE = `shuttle, Rust, github.com/awslabs/shuttle; ${MEASURED}`;
const LOOM = `loom, Rust, github.com/tokio-rs/loom; ${MEASURED}`;

/** Executions a second. */
const RATES = [
  ['relacy', 'M1', 'random', 1_070_000, RELACY],
  ['relacy', 'M2', 'random', 637_000, RELACY],
  ['relacy', 'M3', 'random', 872_000, RELACY],
  ['shuttle', 'M1', 'random', 218_000, SHUTTLE],
  ['shuttle', 'M2', 'random', 142_000, SHUTTLE],
  ['shuttle', 'M3', 'random', 161_000, SHUTTLE],
  // The best of what was seen; 110,000 at the least.
  ['shuttle', 'M2', 'PCT', 163_000, SHUTTLE],
  ['loom', 'M1', 'DPOR', 29_000, LOOM],
  ['loom', 'M2', 'DPOR', 23_000, LOOM],
  ['loom', 'M3', 'DPOR', 23_000, LOOM],
] as const;

export function peerName(peer: string, model: string, strategy: string): string {
  return `${peer}: ${model}, ${strategy}`;
}

export const PEERS: readonly Reference[] = [
  ...RATES.map(([peer, model, strategy, perSecond, source]): Reference => {
    return { name: peerName(peer, model, strategy), unit: 'ns', value: 1e9 / perSecond, source };
  }),
  whole('loom: all of M2, 4,639 executions', 200_000, LOOM),
  whole('relacy: all of M2, 30.1 M executions', 47_000_000, RELACY),
];

function whole(name: string, us: number, source: string): Reference {
  return { name, unit: 'us', value: us, source };
}
