/** The latest operations of each CPU one by one, with what happened to tables as ticks. */
import type { LatestActs, LatestWindow, Timeline } from '#result/timeline';
import { formatSeconds } from '../../format.ts';
import type { PageData } from '../data.ts';
import { FAMILIES, familyOf } from '../doing.ts';
import { drawingIn, readoutOf } from './canvas.ts';
import { colour } from './theme.ts';
import { AXIS_HEIGHT, LABELS_WIDTH, paintAxis } from './timeline.ts';

const ROW_HEIGHT = 34;
const BAR_TOP = 8;
const BAR_HEIGHT = 14;
const TICK = 6;

export function wireWindows({ timelines }: PageData): void {
  for (const figure of document.querySelectorAll<HTMLElement>('figure[data-window]')) {
    const timeline = timelines[Number(figure.dataset['window'])];
    if (timeline?.latest != null) wireWindow(figure, timeline, timeline.latest);
  }
}

function wireWindow(figure: HTMLElement, timeline: Timeline, latest: LatestWindow): void {
  const { columns, us } = latest;
  const host = figure.querySelector<HTMLElement>('.drawing')!;
  const tell = readoutOf(figure);
  const height = columns.length * ROW_HEIGHT + AXIS_HEIGHT;
  const drawing = drawingIn(host, height, (context, width) => {
    const place = (at: number): number => LABELS_WIDTH + (at / us) * (width - LABELS_WIDTH);
    for (const [row, column] of columns.entries())
      paintRow(context, timeline, column, row * ROW_HEIGHT, place, us);
    paintAxis(context, width, height, '0 s', formatSeconds(us / 1e6));
  });
  drawing.onPointer(
    (x, y) => {
      const column = columns[Math.floor(y / ROW_HEIGHT)];
      const at = ((x - LABELS_WIDTH) / (host.clientWidth - LABELS_WIDTH)) * us;
      tell(column === undefined || at < 0 ? '' : operationText(timeline, column, at));
    },
    () => tell(''),
  );
}

function nameOf({ cpu, role }: LatestActs): string {
  return role === 'cpu' ? `cpu${cpu}` : role;
}

function paintRow(
  context: CanvasRenderingContext2D,
  { acts, events }: Timeline,
  column: LatestActs,
  top: number,
  place: (at: number) => number,
  us: number,
): void {
  context.fillStyle = colour('muted');
  context.fillText(nameOf(column), 0, top + BAR_TOP + BAR_HEIGHT / 2);
  const edge = colour('surface');
  for (const [act, began, ended] of column.operations) {
    const left = place(began);
    // A kernel thread sleeps between its operations; when one ended is not known.
    const end = ended ?? (column.role === 'cpu' ? us : began);
    const width = Math.max(1, place(end) - left);
    context.fillStyle = colour(`family-${FAMILIES.indexOf(familyOf(acts[act]))}`);
    context.fillRect(left, top + BAR_TOP, width, BAR_HEIGHT);
    context.fillStyle = edge;
    if (width > 3) context.fillRect(left, top + BAR_TOP, 1, BAR_HEIGHT);
  }
  context.fillStyle = colour('ink');
  for (const [event, at] of column.tables) {
    const isBelow = events[event] === 'hook';
    const y = isBelow ? top + BAR_TOP + BAR_HEIGHT : top + BAR_TOP - TICK;
    context.fillRect(Math.round(place(at)), y, 1, TICK);
  }
}

function operationText(timeline: Timeline, column: LatestActs, at: number): string {
  const found = column.operations.findLast(([, began]) => began <= at);
  if (found === undefined) return '';
  const [act, began, ended] = found;
  const length = ended === null ? 'end not seen' : formatSeconds((ended - began) / 1e6);
  const when = formatSeconds(began / 1e6);
  return `${nameOf(column)}, from ${when}: ${timeline.acts[act] ?? 'nothing noted'}, ${length}`;
}
