/** The small machines whose CPUs the bench times, as the main thread makes them. */
import { LOCK_KINDS_MAX } from '#arena/layout/lock-stat';
import { protocolWords } from '#arena/layout/protocol-words';
import { arenaMap, type Geometry } from '#arena/map';
import { spinsFor } from '#machine/run';
import { raiseInlining } from '#machine/threads';
import { LOCK } from '#trace/vocabulary';
import type { MeasuredMachine } from './measured-cpu.ts';
import type { MeasuredForms } from './measured-forms.ts';
import type { Build } from './operation.ts';

const TORTURED = 1 << LOCK.torture;

/** A machine on zeroed memory; RCU is at its first epoch once a thread has booted it. */
export function buildMachine(forms: MeasuredForms, build: Build): MeasuredMachine {
  raiseInlining();
  const words = protocolWords('percpu-refcount');
  const geometry: Geometry = {
    ...{ cpus: build.cpus, ptrsShift: 9, levels: 4, tables: 64, bodies: 64, pages: 1024, vmas: 4 },
    ...{ gatherPages: 512, batch: 32, backing: 'fixed' },
    ...{ tableWords: words.table, tableCpuWords: words.tableCpu },
    lockRecords: build.lockStat ? LOCK_KINDS_MAX : 0,
  };
  return {
    buffer: new SharedArrayBuffer(arenaMap(geometry).sizeWords * 4),
    geometry,
    entry: build.lockStat ? forms.counted : forms.plain,
    settings: {
      ticketClasses: build.lock === 'ticket' ? TORTURED : 0,
      mcsClasses: build.lock === 'mcs' ? TORTURED : 0,
      announced: build.rcu === 'announced',
      ...{ abstractRcu: false, reschedPerMillion: 0, allocFailPerMillion: 0 },
      ...{ onDemand: false, broadcast: false },
    },
    spins: spinsFor(build.cpus),
  };
}
