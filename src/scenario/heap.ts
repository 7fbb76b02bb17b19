/** The heap: a process has one, so that brk is of one region. */
import type { Path } from './document.ts';
import type { Op, Region } from './plan.ts';
import type { Scope } from './scope.ts';

/** Reports the first list of operations that has brk of another region than those before it. */
export function checkHeap(
  scope: Scope,
  regions: readonly Region[],
  lists: readonly { readonly ops: readonly Op[]; readonly path: Path }[],
): void {
  let heap = -1;
  for (const { ops, path } of lists) {
    for (const region of ops.flatMap(heapsOf)) {
      if (heap === -1) heap = region;
      if (region === heap) continue;
      const [one, other] = [regions[heap]!.name, regions[region]!.name];
      scope.report(path, `brk of "${one}" and of "${other}": a process has one heap`);
      return;
    }
  }
}

/** Numbers of the regions that an operation, or one inside of it, has brk of. */
function heapsOf(op: Op): number[] {
  if (op.op === 'brk') return [op.region];
  if (op.op === 'mix') return op.choices.flatMap((choice) => choice.do.flatMap(heapsOf));
  return 'do' in op ? op.do.flatMap(heapsOf) : [];
}
