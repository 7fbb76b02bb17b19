/**
 * A plan for smaller tables: every region keeps what matters of its place. Whether it begins or
 * ends in the midst of a slot, shares that slot with its neighbour, or leaves one empty, is as it
 * was; only whole slots beyond the first few go. Operations follow their regions: a fraction of a
 * slot stays that fraction.
 */
import { UserError } from '#base/user-error';
import type { Op, PageSpan, Plan, Region, Where } from '#scenario/plan';

export interface Scale {
  /** Entries per table, as a power of two. */
  readonly ptrsShift: number;
  /** Slots that a region covers as a whole, at most. */
  readonly fullSlotsMax: number;
  /** Levels of tables, or as many as the regions need. */
  readonly levels: number;
}

/** A region's old and new place: its first page in its first slot, its slots, its pages. */
interface Place {
  readonly first: number;
  readonly slots: number;
  readonly pages: number;
}

const LEVELS_MAX = 4;
/** Of more random pages in one operation two show the same. */
const TOUCHES_MAX = 2;
/** Slots of a sweep's chunk at most. */
const CHUNK_SLOTS_MAX = 2;

/** Throws a `UserError` where the regions do not fit into the address space of such tables. */
export function scalePlan(plan: Plan, scale: Scale): Plan {
  const scaling = scalingFor(plan, scale);
  const { regions, levels } = scaling;
  if (levels > LEVELS_MAX)
    throw new UserError(`the regions of "${plan.scenario}" are too many for so small a machine`);
  return {
    ...plan,
    ptrsShift: scale.ptrsShift,
    levels,
    regions,
    options: scaledOptions(plan, 2 ** (levels * scale.ptrsShift)),
    setup: plan.setup.map((op) => scaledOp(scaling, op)),
    columns: plan.columns.map((ops) => ops.map((op) => scaledOp(scaling, op))),
  };
}

/** Whether the regions of `plan` fit. */
export function canScale(plan: Plan, scale: Scale): boolean {
  return scalingFor(plan, scale).levels <= LEVELS_MAX;
}

/** What maps pages of old regions to pages of new ones; tables have `from` and `to` entries. */
interface Scaling {
  readonly from: number;
  readonly to: number;
  readonly regions: readonly Region[];
  readonly levels: number;
  readonly olds: readonly Place[];
  readonly news: readonly Place[];
}

function scalingFor(plan: Plan, scale: Scale): Scaling {
  const from = 2 ** plan.ptrsShift;
  const to = 2 ** scale.ptrsShift;
  const olds: Place[] = [];
  const news: Place[] = [];
  const regions: Region[] = [];
  let oldEnd = 0;
  let newEnd = 0;
  for (const region of plan.regions) {
    const start = oldEnd + region.gapPages;
    const old = placeOf(start, region.pages, from);
    const first = region.gapPages === 0 ? newEnd % to : shrunk(old.first, from, to);
    const place = scaledPlace(old, first, from, to, scale.fullSlotsMax);
    const gapPages = gapOf(region, [oldEnd, start, from], [newEnd, first, to]);
    olds.push(old);
    news.push(place);
    regions.push({ ...region, pages: place.pages, gapPages });
    oldEnd = start + region.pages;
    newEnd += gapPages + place.pages;
  }
  return { from, to, regions, levels: levelsFor(newEnd, scale), olds, news };
}

function placeOf(start: number, pages: number, ptrs: number): Place {
  const first = start % ptrs;
  return { first, slots: Math.ceil((first + pages) / ptrs), pages };
}

/** Keeps the slots that are covered in part, and some of the others. */
function scaledPlace(
  old: Place,
  first: number,
  from: number,
  to: number,
  fullSlotsMax: number,
): Place {
  const end = ((old.first + old.pages - 1) % from) + 1;
  const parts = old.slots === 1 ? 1 : Number(old.first > 0) + Number(end < from);
  const fullMax = parts === 2 ? 1 : fullSlotsMax;
  const slots = parts + Math.min(old.slots - parts, fullMax);
  const last = (slots - 1) * to + (end === from ? to : shrunk(end, from, to));
  return { first, slots, pages: Math.max(1, last - first) };
}

/** An index in a table; only 0 becomes 0. */
function shrunk(index: number, from: number, to: number): number {
  if (index === 0) return 0;
  return Math.min(to - 1, Math.max(1, Math.round((index * to) / from)));
}

/**
 * The gap before a region that begins at index `first` of a slot; at most one slot of it is empty.
 */
function gapOf(
  region: Region,
  [oldEnd, start, from]: readonly [number, number, number],
  [newEnd, first, to]: readonly [number, number, number],
): number {
  if (region.gapPages === 0) return 0;
  const usedSlots = Math.ceil(newEnd / to);
  const emptySlots = Math.floor(start / from) - Math.ceil(oldEnd / from);
  if (emptySlots >= 0) return (usedSlots + Math.min(1, emptySlots)) * to + first - newEnd;
  // Both are in one slot.
  const shared = (usedSlots - 1) * to + first;
  return shared > newEnd ? shared - newEnd : 1;
}

/** The upper half of the address space is the kernel's. */
function levelsFor(pages: number, { levels, ptrsShift }: Scale): number {
  let enough = levels;
  while (pages >= 2 ** (enough * ptrsShift - 1)) enough++;
  return enough;
}

function scaledOptions({ options }: Plan, pagesMax: number): Plan['options'] {
  const size = options['sizePages'];
  return typeof size === 'number' && size > pagesMax
    ? { ...options, sizePages: pagesMax }
    : options;
}

type Mremap = Op & { readonly op: 'mremap' };

function scaledOp(scaling: Scaling, op: Op): Op {
  const all = (ops: readonly Op[]): Op[] => ops.map((each) => scaledOp(scaling, each));
  switch (op.op) {
    case 'loop':
      return { ...op, do: all(op.do) };
    case 'mix':
      return { ...op, choices: op.choices.map((choice) => ({ ...choice, do: all(choice.do) })) };
    case 'sweep':
      return { ...op, pages: scaledChunk(scaling, op.pages), do: all(op.do) };
    case 'mremap':
      return scaledMremap(scaling, op);
    case 'brk':
      return { ...op, pages: scaledLength(scaling, op.region, 0, op.pages) };
    case 'touch':
      return {
        ...op,
        extent: scaledExtent(scaling, op),
        pages: typeof op.pages === 'number' ? Math.min(op.pages, TOUCHES_MAX) : op.pages,
      };
    default:
      return 'extent' in op ? { ...op, extent: scaledExtent(scaling, op) } : op;
  }
}

function scaledChunk({ from, to }: Scaling, pages: number): number {
  const scaled = Math.max(1, Math.round((pages * to) / from));
  return Math.min(scaled, CHUNK_SLOTS_MAX * to);
}

function scaledExtent(scaling: Scaling, { region, extent }: Where): Where['extent'] {
  if (typeof extent !== 'object') return extent;
  const { page, pages } = extent;
  const start = scaledPage(scaling, region, page);
  const span: PageSpan = { page: start, pages: scaledLength(scaling, region, page, pages) };
  return span;
}

/** Pages that `pages` pages from `page` on become; none only of none. */
function scaledLength(scaling: Scaling, region: number, page: number, pages: number): number {
  if (pages === 0) return 0;
  const start = scaledPage(scaling, region, page);
  return Math.max(1, scaledPage(scaling, region, page + pages - 1) + 1 - start);
}

/** What kept its length keeps it. */
function scaledMremap(scaling: Scaling, op: Mremap): Op {
  const extent = scaledExtent(scaling, op);
  if (typeof op.extent !== 'object' || typeof extent !== 'object') return { ...op, extent };
  const place = op.to ?? op.extent.page;
  const newPages =
    op.newPages === op.extent.pages
      ? extent.pages
      : scaledLength(scaling, op.region, place, op.newPages);
  const to = op.to === null ? null : scaledPage(scaling, op.region, op.to);
  return { ...op, extent, to, newPages };
}

/** The page that stands for page `page` of the old region. */
function scaledPage({ from, to, olds, news }: Scaling, region: number, page: number): number {
  const old = olds[region]!;
  const place = news[region]!;
  const at = old.first + page;
  const slot = scaledSlot(Math.floor(at / from), old.slots, place.slots);
  const scaled = slot * to + Math.floor(((at % from) * to) / from) - place.first;
  return Math.min(place.pages - 1, Math.max(0, scaled));
}

/** First and last slot stay what they are; between them, slots are taken in turn. */
function scaledSlot(slot: number, old: number, slots: number): number {
  if (slot === 0) return 0;
  if (slot === old - 1) return slots - 1;
  return slots > 2 ? 1 + ((slot - 1) % (slots - 2)) : slot % slots;
}
