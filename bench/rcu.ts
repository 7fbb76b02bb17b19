/**
 * The group `rcu`: a read section in both forms and a grace period with one busy reader, beside the
 * libraries that do the same, and the reference counts that rest on it.
 */
import { runCrowd } from './crowd.ts';
import type { BenchOptions, Figure, Group, Prepared, Variant } from './harness.ts';
import { type MeasuredForms, measuredForms } from './measured-forms.ts';
import { buildMachine } from './measured-machine.ts';
import { peerGrace, peerSection, RCU_PEERS, type RcuPeer, rcuPeers } from './native/rcu-peers.ts';
import { operationVariants } from './operation-variants.ts';
import {
  FORMS,
  type Form,
  OPERATIONS,
  PERCPU,
  RCU_THREAD,
  ROLES,
  sectionName,
} from './rcu-thread.ts';

export const rcu: Group = {
  summary: 'a read section, a grace period while one other CPU is busy reading, percpu_ref',
  async prepare(options: BenchOptions): Promise<Prepared> {
    const forms = await measuredForms();
    const peers = rcuPeers(options);
    return {
      variants: [
        ...operationVariants(RCU_THREAD, OPERATIONS, forms, options),
        ...FORMS.map((form) => graceVariant(form, forms, options)),
        ...peers.variants,
      ],
      figures: [...GOALS, ...RCU_PEERS.flatMap(toPeer)],
      notes: peers.notes,
    };
  },
};

const GOALS: readonly Figure[] = [
  goalOf(sectionName('qsbr'), 4),
  goalOf(sectionName('announced'), 30),
  goalOf(PERCPU, 8),
];

function goalOf(name: string, limit: number): Figure {
  return { name, of: name, profile: name, goal: { bound: 'at most', limit } };
}

/** The form of ours that is like the peer's. */
function toPeer(peer: RcuPeer): Figure[] {
  const form = peer === 'urcu-qsbr' ? 'qsbr' : 'announced';
  return [
    {
      name: `${sectionName(form)}: time to ${peer}`,
      ...{ of: sectionName(form), over: peerSection(peer) },
    },
    { name: `${graceName(form)}: time to ${peer}`, of: graceName(form), over: peerGrace(peer) },
  ];
}

function graceName(form: Form): string {
  return `${form}, grace period`;
}

/** Part of a simulated run's time that is spent on grace periods. */
const MEASURED_SHARE = 0.15;
function graceVariant(form: Form, forms: MeasuredForms, { ms }: BenchOptions): Variant {
  return {
    name: graceName(form),
    unit: 'us',
    async sample() {
      const machine = buildMachine(forms, { cpus: ROLES.length, rcu: form });
      const tasks = ROLES.map((role) => ({ role }));
      const share = Math.ceil(ms * MEASURED_SHARE);
      const { found, ns } = await runCrowd<number>(RCU_THREAD, machine, tasks, share);
      return ns / 1000 / found[0];
    },
  };
}
