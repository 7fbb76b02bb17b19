/**
 * What simulated CPUs do in the group `rcu`: one enters and leaves read sections or counts
 * references; or one waits for grace periods while another is busy reading.
 */
import type { Cpu } from '#arch/cpu';
import { BOARD, type CrowdTask, joinCrowd } from './crowd.ts';
import { serveCpu } from './measured-cpu.ts';
import type { MeasuredTree } from './measured-forms.ts';
import { type Operation, type Operations, type OperationTask, timeOperation } from './operation.ts';

/** This module, as the entry point of a thread. */
export const RCU_THREAD = import.meta.url;

export const FORMS = ['qsbr', 'announced'] as const;
export type Form = (typeof FORMS)[number];

const QUIESCENT = 'quiescent state, nothing new';
export const PERCPU = 'percpu_ref get and put, percpu mode';
const ATOMIC = 'percpu_ref get and put, atomic mode';

export const OPERATIONS: Operations = {
  [sectionName('qsbr')]: sectionOf('qsbr'),
  [sectionName('announced')]: sectionOf('announced'),
  [QUIESCENT]: {
    build: { cpus: 1 },
    prepare: (cpu, tree) => {
      tree.rcuOnline(cpu);
      return () => tree.rcuQuiescent(cpu);
    },
  },
  [PERCPU]: referenceOf(false),
  [ATOMIC]: referenceOf(true),
};

/** What CPU 0 and CPU 1 do. */
export const ROLES: readonly GraceTask['role'][] = ['writer', 'reader'];
const WARM_UP = 2_000;
/** Sections of the reader between two boundaries. */
const PAGES = 16;

interface GraceTask extends CrowdTask {
  readonly role: 'writer' | 'reader';
}

export function sectionName(form: Form): string {
  return `${form}, section`;
}

function sectionOf(form: Form): Operation {
  return {
    build: { cpus: 1, rcu: form },
    prepare: (cpu, { rcuOnline, rcuReadLock, rcuReadUnlock }) => {
      rcuOnline(cpu);
      return () => {
        rcuReadLock(cpu);
        rcuReadUnlock(cpu);
      };
    },
  };
}

/** Table whose reference count is measured; 0 is a trap. */
const REF = 1;

function referenceOf(atomic: boolean): Operation {
  return {
    build: { cpus: 1 },
    prepare: (cpu, tree) => {
      const { percpuRefInit, percpuRefSwitchToAtomicSync, percpuRefGet, percpuRefPut } = tree;
      tree.rcuOnline(cpu);
      percpuRefInit(cpu, REF);
      if (atomic) percpuRefSwitchToAtomicSync(cpu, REF);
      return () => {
        percpuRefGet(cpu, REF);
        percpuRefPut(cpu, REF);
      };
    },
  };
}

/** Tells how many grace periods the CPU has waited for. */
function waitOrRead(cpu: Cpu, tree: MeasuredTree, task: GraceTask): void {
  tree.rcuOnline(cpu);
  for (let i = 0; i < WARM_UP; i++) readPages(cpu, tree);
  joinCrowd(task, (board) => {
    let periods = 0;
    while (board[BOARD.stop] === 0) {
      if (task.role === 'reader') readPages(cpu, tree);
      else {
        tree.synchronizeRcu(cpu);
        periods++;
      }
    }
    tree.rcuOffline(cpu);
    return periods;
  });
}

/** As an operation on some pages does: a quiescent state after each, a boundary at the end. */
function readPages(cpu: Cpu, tree: MeasuredTree): void {
  const { rcuReadLock, rcuReadUnlock, rcuQuiescent, rcuBoundary } = tree;
  for (let page = 0; page < PAGES; page++) {
    rcuReadLock(cpu);
    rcuReadUnlock(cpu);
    rcuQuiescent(cpu);
  }
  rcuBoundary(cpu);
}

await serveCpu<OperationTask | GraceTask>((cpu, tree, task) =>
  'operation' in task ? timeOperation(OPERATIONS, cpu, tree, task) : waitOrRead(cpu, tree, task),
);
