/** The simulator as a variant of the bench: the code path of `pttorture run`. */
import { readFileSync } from 'node:fs';
import { runPlan } from '#machine/run';
import { JUDGES } from '#oracles/judges';
import { buildPlan } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario } from '#scenario/scenario';
import type { Variant } from './harness.ts';
import { type Load, nameOf } from './native/load.ts';
import { inPackage } from './root.ts';

/** Address space of each CPU where they keep to their own, as in the native programs. */
const MIB_PER_CPU = 64;

export function simulatorVariant(protocol: string, load: Load, ms: number): Variant {
  return planVariant(nameOf(protocol, load), load, planOf(protocol, load, ms));
}

/**
 * Time before what is measured, in milliseconds: until then V8 compiles, on threads that take cores
 * from the CPUs. The native programs come compiled.
 */
const WARM_UP_MS = 1000;

/**
 * Nanoseconds a page of `plan`, which is of that load: by the rate of write faults once all is
 * compiled; where a part of the faults are reads (hot), over the whole run.
 */
export function planVariant(name: string, load: Load, plan: Plan): Variant {
  return {
    name,
    unit: 'ns',
    async sample() {
      const rates: number[] = [];
      const { exit, pages, faults, seconds, note, violations } = await runPlan(plan, {
        judges: JUDGES,
        onProgress({ phase, seconds: since, faultsPerSecond }) {
          if (phase === 'main' && since * 1000 > WARM_UP_MS) rates.push(faultsPerSecond);
        },
      });
      if (exit !== 'pass')
        throw new Error(violations[0]?.message ?? note ?? `the run ended ${exit}`);
      if (pages.faulted === 0) throw new Error('no page was faulted in; give more time');
      // A read maps the zero page, which is less work than the native programs do.
      if (load.mode !== 'hot' && faults.read > 0)
        throw new Error(`${faults.read} faults were reads; the load is to write only`);
      if (load.mode === 'hot' || rates.length === 0) return (seconds * 1e9) / pages.faulted;
      return 1e9 / (rates.reduce((sum, rate) => sum + rate, 0) / rates.length);
    },
  };
}

export function planOf(protocol: string, { mode, cpus }: Load, ms: number): Plan {
  const path = inPackage('bench', 'scenarios', `${mode}.yaml`);
  const scenario = parseScenario({ path, text: readFileSync(path, 'utf8') });
  const size = `${MIB_PER_CPU * cpus}MiB`;
  return buildPlan(scenario, {
    protocol,
    cpus,
    seed: 1,
    durationMs: WARM_UP_MS + ms,
    parameters: mode === 'disjoint' ? { size } : {},
    locks: {},
    splitLocks: true,
    protocolOptions: { [protocol]: {} },
  });
}
