/**
 * Rendezvous: places in the columns where all CPUs meet and a phase with a name begins. Since all
 * must come, every column has the same ones in the same order.
 */
import type { Path } from './document.ts';
import { RENDEZVOUS_MAX } from './op-schema.ts';
import type { Op } from './plan.ts';
import { listOf, type Scope } from './scope.ts';

/** Phases that every run has. */
const RUN_PHASES: readonly string[] = ['setup', 'main', 'fair'];

type Rendezvous = Op & { op: 'rendezvous' };

interface Meeting {
  readonly ops: readonly Op[];
  readonly path: Path;
}

/** The rendezvous among the outermost operations. */
export function rendezvousOf(ops: readonly Op[]): Rendezvous[] {
  return ops.filter((op) => op.op === 'rendezvous');
}

/** Names of all phases of the run. */
export function phasesOf(columns: readonly Meeting[]): string[] {
  return [...RUN_PHASES, ...namesOf(columns[0]!.ops)];
}

/** Reports what is wrong with the first column's, and in which column they are not the same. */
export function checkRendezvous(scope: Scope, columns: readonly Meeting[]): void {
  const [first, ...others] = columns;
  const wanted = namesOf(first!.ops);
  for (const [index, name] of wanted.entries()) {
    const path = pathOf(first!, index);
    if (RUN_PHASES.includes(name)) {
      scope.report(path, `every run has a phase "${name}"; choose another name`);
    } else if (wanted.indexOf(name) < index) {
      scope.report(path, `there is a phase "${name}" already`);
    }
  }
  if (wanted.length > RENDEZVOUS_MAX) {
    scope.report(
      pathOf(first!, RENDEZVOUS_MAX),
      `a column has at most ${RENDEZVOUS_MAX} rendezvous`,
    );
  }

  for (const column of others) {
    const found = namesOf(column.ops);
    const length = Math.max(wanted.length, found.length);
    const differs = Array.from({ length }, (_, i) => wanted[i] !== found[i]).indexOf(true);
    if (differs < 0) continue;
    scope.report(
      pathOf(column, differs),
      `all columns have the same rendezvous in the same order; here: ${listOf(found)}; ` +
        `in the first column: ${listOf(wanted)}`,
    );
  }
}

function namesOf(ops: readonly Op[]): string[] {
  return rendezvousOf(ops).map(({ phase }) => phase);
}

/** Where the column's rendezvous `index` stands, or the operations of a column that lacks it. */
function pathOf({ ops, path }: Meeting, index: number): Path {
  const op = rendezvousOf(ops)[index];
  return op ? [...path, 'do', ops.indexOf(op), 'rendezvous'] : [...path, 'do'];
}
