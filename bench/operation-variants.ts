/** Single operations (`operation.ts`) as variants. */
import type { BenchOptions, Variant } from './harness.ts';
import { nextMessage, startCpu } from './measured-cpu.ts';
import type { MeasuredForms } from './measured-forms.ts';
import { buildMachine } from './measured-machine.ts';
import type { Operations, OperationTask } from './operation.ts';

/** Part of a simulated run's time that a single operation is given. */
const MEASURED_SHARE = 0.15;

/** One variant for each of `operations`, which the module at `url` serves. */
export function operationVariants(
  url: string,
  operations: Operations,
  forms: MeasuredForms,
  { ms }: BenchOptions,
): Variant[] {
  return Object.entries(operations).map(([name, { build }]) => ({
    name,
    unit: 'ns',
    sample: () => {
      const task: OperationTask = { operation: name, cpuNs: ms * 1e6 * MEASURED_SHARE };
      return nextMessage<number>(startCpu(url, buildMachine(forms, build), 0, task));
    },
  }));
}
