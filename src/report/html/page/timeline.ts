/** What each CPU was found doing over the main phase: a row of marks for each. */
import type { Timeline } from '#result/timeline';
import { formatSeconds } from '../../format.ts';
import type { PageData } from '../data.ts';
import { FAMILIES, familyOf, momentText, OVER, WAITING } from '../doing.ts';
import { drawingIn, readoutOf } from './canvas.ts';
import { colour } from './theme.ts';

const ROW_HEIGHT = 22;
const ROW_GAP = 4;
export const LABELS_WIDTH = 54;
export const AXIS_HEIGHT = 20;
const WAITING_ALPHA = 0.3;

export function wireTimelines({ timelines }: PageData): void {
  for (const figure of document.querySelectorAll<HTMLElement>('figure[data-timeline]')) {
    const timeline = timelines[Number(figure.dataset['timeline'])];
    if (timeline != null) wireTimeline(figure, timeline);
  }
}

function wireTimeline(figure: HTMLElement, timeline: Timeline): void {
  const { samples } = timeline;
  const cpus = samples[0]!.act.length;
  const host = figure.querySelector<HTMLElement>('.drawing')!;
  const tell = readoutOf(figure);
  const height = cpus * ROW_HEIGHT + AXIS_HEIGHT;
  const drawing = drawingIn(host, height, (context, width) => {
    const colours = FAMILIES.map((_, i) => colour(`family-${i}`));
    const room = width - LABELS_WIDTH;
    const edges = edgesOf(timeline).map((edge) => Math.round(LABELS_WIDTH + edge * room));
    for (let cpu = 0; cpu < cpus; cpu++) {
      const top = cpu * ROW_HEIGHT;
      context.globalAlpha = 1;
      context.fillStyle = colour('muted');
      context.fillText(`cpu${cpu}`, 0, top + (ROW_HEIGHT - ROW_GAP) / 2);
      for (const [i, { act, waits }] of samples.entries()) {
        if (waits[cpu] === OVER) continue;
        const family = familyOf(timeline.acts[act[cpu]!]);
        context.globalAlpha = waits[cpu] === WAITING ? WAITING_ALPHA : 1;
        context.fillStyle = colours[FAMILIES.indexOf(family)]!;
        const length = Math.max(1, edges[i + 1]! - edges[i]!);
        context.fillRect(edges[i]!, top, length, ROW_HEIGHT - ROW_GAP);
      }
    }
    context.globalAlpha = 1;
    const end = formatSeconds(samples.at(-1)!.ms / 1000);
    paintAxis(context, width, height, formatSeconds(samples[0]!.ms / 1000), end);
  });
  drawing.onPointer(
    (x, y) => {
      const at = (x - LABELS_WIDTH) / (host.clientWidth - LABELS_WIDTH);
      const sample = samples[edgesOf(timeline).findLastIndex((edge) => edge <= at)];
      const cpu = Math.floor(y / ROW_HEIGHT);
      const isInside = sample !== undefined && cpu < cpus;
      const when = isInside ? formatSeconds(sample.ms / 1000) : '';
      tell(isInside ? `cpu${cpu} at ${when}: ${momentText(timeline, sample, cpu)}` : '');
    },
    () => tell(''),
  );
}

/** Where on the axis, from 0 to 1, each sample begins, and the last one ends. */
function edgesOf({ samples }: Timeline): number[] {
  const first = samples[0]!.ms;
  const last = samples.at(-1)!.ms;
  const end = last + ((last - first) / Math.max(1, samples.length - 1) || 1);
  return [...samples.map(({ ms }) => (ms - first) / (end - first)), 1];
}

/** When the drawing begins and ends, below it. */
export function paintAxis(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  start: string,
  end: string,
): void {
  const y = height - AXIS_HEIGHT / 2 + 2;
  context.fillStyle = colour('muted');
  context.fillText(start, LABELS_WIDTH, y);
  context.fillText(end, width - context.measureText(end).width, y);
}
