/**
 * Which part of a settled plan is kept: some of its operations, perhaps in pieces, some of its
 * CPUs, on a machine that is perhaps smaller still. A value with a short text form, so that a
 * replay can name it.
 */
import { UserError } from '#base/user-error';
import type { Op, Plan } from '#scenario/plan';
import { inPieces } from './reduction-pieces.ts';
import { isMonitored } from './settle.ts';
import { canScale, type Scale, scalePlan } from './settle-scale.ts';

/** Bit `1 << i`: operation number i is kept. */
export interface Kept {
  readonly setup: bigint;
  /** Null: that CPU is gone, and those after it have moved up. */
  readonly columns: readonly (bigint | null)[];
}

export interface Reduction {
  /** Operations are taken apart first: one for each page touched, and each slot gone through. */
  readonly isInPieces: boolean;
  /** Null: all. */
  readonly kept: Kept | null;
  /** Null: the plan's own. */
  readonly scale: Scale | null;
}

export const NOT_REDUCED: Reduction = { isInPieces: false, kept: null, scale: null };

/** Throws a `UserError` if the plan has not what is to be kept. */
export function reducePlan(plan: Plan, reduction: Reduction): Plan {
  const part = partOf(plan, reduction);
  return reduction.scale === null ? part : scalePlan(withoutUnused(part), reduction.scale);
}

/** Whether what is kept fits onto the smaller machine. */
export function canReduce(plan: Plan, reduction: Reduction): boolean {
  const { scale } = reduction;
  return scale === null || canScale(withoutUnused(partOf(plan, reduction)), scale);
}

/** All operations of a plan, as `Kept` has them. */
export function allOf({ setup, columns }: Plan): Kept {
  const all = (ops: readonly Op[]): bigint => (1n << BigInt(ops.length)) - 1n;
  return { setup: all(setup), columns: columns.map(all) };
}

/**
 * One word, e.g. `p3.1.4g122`: in pieces, kept of the setup and of each CPU's column, and the
 * geometry (shift of entries per table, whole slots of a region, levels). Nothing reduced: empty.
 */
export function formatReduction({ isInPieces, kept, scale }: Reduction): string {
  const masks = kept === null ? [] : [kept.setup, ...kept.columns];
  const told = masks.map((mask) => mask?.toString(16) ?? '').join('.');
  const sizes = scale === null ? [] : [scale.ptrsShift, scale.fullSlotsMax, scale.levels];
  return `${isInPieces ? 'p' : ''}${told}${scale === null ? '' : `g${sizes.join('')}`}`;
}

/** Throws a `UserError` on anything that `formatReduction` does not write. */
export function parseReduction(text: string): Reduction {
  const match = /^(p?)((?:[\da-f]+(?:\.[\da-f]*)+)?)(?:g([1-3])([1-3])([2-4]))?$/.exec(text);
  if (match === null)
    throw new UserError(`"${text}" is no reduced plan; expected a word such as p3.1.4g122`);
  const [, pieces, told, ...sizes] = match;
  const masks = told!.split('.').map((hex) => (hex === '' ? null : BigInt(`0x${hex}`)));
  const [setup, ...columns] = masks;
  const [ptrsShift, fullSlotsMax, levels] = sizes.map(Number);
  return {
    isInPieces: pieces !== '',
    kept: told === '' ? null : { setup: setup!, columns },
    scale:
      sizes[0] === undefined
        ? null
        : { ptrsShift: ptrsShift!, fullSlotsMax: fullSlotsMax!, levels: levels! },
  };
}

function partOf(plan: Plan, { isInPieces, kept }: Reduction): Plan {
  const whole = isInPieces ? takenApart(plan) : plan;
  return kept === null ? whole : keep(whole, kept);
}

/** A region that no operation names becomes one page; the others begin at the index as before. */
function withoutUnused(plan: Plan): Plan {
  const ptrs = 2 ** plan.ptrsShift;
  const named = new Set([...plan.setup, ...plan.columns.flat()].map(regionOf));
  let start = 0;
  let end = 0;
  let followsUnused = false;
  const regions = plan.regions.map((region, i) => {
    start += region.gapPages;
    const isUsed = named.has(i);
    const ahead = (((start - end) % ptrs) + ptrs) % ptrs;
    const gapPages = isUsed ? (followsUnused ? ahead : region.gapPages) : 0;
    const pages = isUsed ? region.pages : 1;
    start += region.pages;
    end += gapPages + pages;
    followsUnused = !isUsed;
    return { ...region, gapPages, pages };
  });
  return { ...plan, regions };
}

/** Of one that settled plans have; -1: of none. */
function regionOf(op: Op): number {
  return 'region' in op ? op.region : -1;
}

function takenApart(plan: Plan): Plan {
  const apart = (ops: readonly Op[]): Op[] => ops.flatMap((op) => inPieces(plan, op));
  return { ...plan, setup: apart(plan.setup), columns: plan.columns.map(apart) };
}

function keep(plan: Plan, { setup, columns }: Kept): Plan {
  if (columns.length !== plan.columns.length)
    throw new UserError(
      `the reduced plan is of ${columns.length} CPUs; ` +
        `"${plan.scenario}" has ${plan.columns.length}`,
    );
  const present = plan.columns.map((ops, cpu) => ({ ops, mask: columns[cpu]! }));
  const left = present.flatMap(({ ops, mask }) => (mask === null ? [] : [{ ops, mask }]));
  if (left.length === 0) throw new UserError('the reduced plan has no CPU');
  const met = plan.regions.some(isMonitored)
    ? null
    : left.map(({ ops, mask }) => meetings(ops, mask));
  return {
    ...plan,
    cpus: left.length,
    setup: chosen(plan, plan.setup, setup, null),
    columns: left.map(({ ops, mask }) => chosen(plan, ops, mask, met)),
  };
}

/** Of a column's rendezvous, which are kept. */
function meetings(ops: readonly Op[], mask: bigint): boolean[] {
  return ops.flatMap(({ op }, i) => (op === 'rendezvous' ? [isIn(mask, i)] : []));
}

function isIn(mask: bigint, index: number): boolean {
  return ((mask >> BigInt(index)) & 1n) === 1n;
}

/** A rendezvous is kept if all CPUs keep it (`met`), or always (null). */
function chosen(
  { scenario }: Plan,
  ops: readonly Op[],
  mask: bigint,
  met: readonly (readonly boolean[])[] | null,
): Op[] {
  if (mask >> BigInt(ops.length) !== 0n)
    throw new UserError(
      `the reduced plan keeps operations that this plan of "${scenario}" does not have`,
    );
  let meeting = 0;
  return ops.filter(({ op }, i) => {
    if (op !== 'rendezvous') return isIn(mask, i);
    const number = meeting++;
    return met === null || met.every((each) => each[number]);
  });
}
