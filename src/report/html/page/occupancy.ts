/** The maps of the address space: all times above, the time of the slider below. */
import type { Occupancy } from '#result/occupancy';
import { formatCount, formatSeconds } from '../../format.ts';
import type { PageData } from '../data.ts';
import { sampleText, TABLE_STATES } from '../occupancy.ts';
import { clipText, drawingIn, readoutOf } from './canvas.ts';
import { colour } from './theme.ts';

const TIMES_HEIGHT = 120;
const GAP = 10;
const BARS_HEIGHT = 96;
const NAMES_HEIGHT = 20;
/** However small its share, a table can be seen. */
const ALPHA_MIN: Readonly<Record<State, number>> = { live: 0.7, empty: 0.3, unhooked: 0.8 };

type State = (typeof TABLE_STATES)[number][0];
type Context = CanvasRenderingContext2D;

/** A bucket: how many slots it stands for, and the first of them. */
interface Bucket {
  readonly slots: number;
  readonly firstSlot: number;
  readonly span: string;
}

export function wireOccupancies({ occupancies }: PageData): void {
  for (const figure of document.querySelectorAll<HTMLElement>('figure[data-occupancy]')) {
    const occupancy = occupancies[Number(figure.dataset['occupancy'])];
    if (occupancy != null) wireOccupancy(figure, occupancy);
  }
}

function wireOccupancy(figure: HTMLElement, occupancy: Occupancy): void {
  const { samples } = occupancy;
  const buckets = bucketsOf(occupancy);
  const slider = figure.querySelector<HTMLInputElement>('input[type=range]')!;
  const output = figure.querySelector('output')!;
  const tell = readoutOf(figure);
  const host = figure.querySelector<HTMLElement>('.drawing')!;
  const height = TIMES_HEIGHT + GAP + BARS_HEIGHT + NAMES_HEIGHT;
  slider.parentElement!.hidden = false;
  const drawing = drawingIn(host, height, (context, width) => {
    paintTimes(context, width, occupancy, buckets, slider.valueAsNumber);
    paintBars(context, width, occupancy, buckets, slider.valueAsNumber);
    paintNames(context, width, occupancy, buckets.length);
  });
  const show = (): void => {
    output.textContent = sampleText(samples[slider.valueAsNumber]!);
    drawing.draw();
  };
  slider.addEventListener('input', show);
  drawing.onClick((_, y) => {
    if (y > TIMES_HEIGHT) return;
    slider.valueAsNumber = sampleAt(occupancy, y);
    show();
  });
  drawing.onPointer(
    (x, y) => {
      const at = y <= TIMES_HEIGHT ? sampleAt(occupancy, y) : slider.valueAsNumber;
      const bucket = Math.min(
        buckets.length - 1,
        Math.floor((x / host.clientWidth) * buckets.length),
      );
      tell(bucketText(occupancy, buckets, at, Math.max(0, bucket)));
    },
    () => tell(''),
  );
}

function bucketsOf({ spans, slotsPerBucket }: Occupancy): Bucket[] {
  return spans.flatMap(({ name, firstSlot, slots, buckets }) =>
    Array.from({ length: buckets }, (_, i) => ({
      firstSlot: firstSlot + i * slotsPerBucket,
      slots: Math.min(slotsPerBucket, slots - i * slotsPerBucket),
      span: name,
    })),
  );
}

/** Each sample lasts until the next one; rows are as high as samples last. */
function rowsOf({ samples }: Occupancy): [top: number, bottom: number][] {
  const first = samples[0]!.ms;
  const last = samples.at(-1)!.ms;
  const step = (last - first) / Math.max(1, samples.length - 1);
  const length = last - first + step || 1;
  const place = (ms: number): number => Math.round(((ms - first) / length) * TIMES_HEIGHT);
  return samples.map(({ ms }, i) => [place(ms), place(samples[i + 1]?.ms ?? last + step)]);
}

function sampleAt(occupancy: Occupancy, y: number): number {
  const row = rowsOf(occupancy).findIndex(([, bottom]) => y < bottom);
  return row < 0 ? occupancy.samples.length - 1 : row;
}

function paintTimes(
  context: Context,
  width: number,
  occupancy: Occupancy,
  buckets: readonly Bucket[],
  chosen: number,
): void {
  const rows = rowsOf(occupancy);
  const each = width / buckets.length;
  context.fillStyle = colour('hole');
  context.fillRect(0, 0, width, TIMES_HEIGHT);
  for (const state of ['empty', 'live', 'unhooked'] as const) {
    context.fillStyle = colour(state);
    for (const [i, sample] of occupancy.samples.entries()) {
      const [top, bottom] = rows[i]!;
      for (const [at, count] of sample[state].entries()) {
        if (count === 0) continue;
        context.globalAlpha = Math.max(ALPHA_MIN[state], Math.min(1, count / buckets[at]!.slots));
        const left = Math.round(at * each);
        const right = Math.max(left + 2, Math.round((at + 1) * each));
        context.fillRect(left, top, right - left, Math.max(2, bottom - top));
      }
    }
  }
  context.globalAlpha = 1;
  const [top, bottom] = rows[chosen]!;
  context.strokeStyle = colour('ink');
  context.strokeRect(0.5, top + 0.5, width - 1, Math.max(2, bottom - top - 1));
}

function paintBars(
  context: Context,
  width: number,
  { samples }: Occupancy,
  buckets: readonly Bucket[],
  chosen: number,
): void {
  const sample = samples[chosen]!;
  const top = TIMES_HEIGHT + GAP;
  const each = width / buckets.length;
  context.fillStyle = colour('hole');
  context.fillRect(0, top, width, BARS_HEIGHT);
  const colours = TABLE_STATES.map(([state]) => [state, colour(state)] as const);
  for (const [at, { slots }] of buckets.entries()) {
    let bottom = top + BARS_HEIGHT;
    for (const [state, fill] of colours) {
      const count = sample[state][at]!;
      if (count === 0) continue;
      // Of unhooked tables there may be more than places.
      const height = Math.min(Math.max(2, (BARS_HEIGHT * count) / slots), bottom - top);
      context.fillStyle = fill;
      const left = Math.round(at * each);
      const right = Math.round((at + 1) * each) - (each > 5 ? 1 : 0);
      context.fillRect(left, bottom - height, Math.max(1, right - left), height);
      bottom -= height;
    }
  }
}

function paintNames(context: Context, width: number, { spans }: Occupancy, buckets: number): void {
  const top = TIMES_HEIGHT + GAP + BARS_HEIGHT;
  let left = 0;
  context.fillStyle = colour('muted');
  for (const span of spans) {
    const room = (span.buckets / buckets) * width;
    context.fillRect(left, top, 1, 6);
    context.fillText(clipText(context, span.name, room - 6), left + 4, top + NAMES_HEIGHT / 2 + 2);
    left += room;
  }
}

function bucketText(
  { samples, slotKiB }: Occupancy,
  buckets: readonly Bucket[],
  at: number,
  index: number,
): string {
  const { firstSlot, slots, span } = buckets[index]!;
  const sample = samples[at]!;
  const counts = TABLE_STATES.map(([state]) => `${formatCount(sample[state][index]!)} ${state}`);
  const address = `0x${(firstSlot * slotKiB * 1024).toString(16)}`;
  const places = slots === 1 ? '1 place' : `${formatCount(slots)} places`;
  const when = formatSeconds(sample.ms / 1000);
  return `${span}, ${places} from ${address}, at ${when}: ${counts.join(', ')}`;
}
