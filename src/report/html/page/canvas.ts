/** A canvas that fills its place and is drawn again when that, or the colours, change. */
import { onTheme } from './theme.ts';

export interface Drawing {
  draw(): void;
  /** Where on the drawing the pointer is. */
  onPointer(told: (x: number, y: number) => void, left: () => void): void;
  onClick(told: (x: number, y: number) => void): void;
}

export type Painter = (context: CanvasRenderingContext2D, width: number, height: number) => void;

/** `host` has a place in the page; while it has none, because it is folded up, nothing is drawn. */
export function drawingIn(host: HTMLElement, height: number, paint: Painter): Drawing {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d')!;
  host.append(canvas);
  const draw = (): void => {
    const width = host.clientWidth;
    if (width === 0) return;
    const scale = devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.font = `12px ${getComputedStyle(host).fontFamily}`;
    context.textBaseline = 'middle';
    paint(context, width, height);
  };
  new ResizeObserver(draw).observe(host);
  onTheme(draw);
  const place = (event: MouseEvent): [number, number] => {
    const { left, top } = canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  return {
    draw,
    onPointer(told, left) {
      canvas.addEventListener('pointermove', (event) => told(...place(event)));
      canvas.addEventListener('pointerleave', left);
    },
    onClick(told) {
      canvas.addEventListener('click', (event) => told(...place(event)));
    },
  };
}

/** `text` in so much room, cut off where it does not fit. */
export function clipText(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let shown = text;
  while (shown.length > 1 && context.measureText(`${shown}\u2026`).width > room)
    shown = shown.slice(0, -1);
  return shown.length > 1 ? `${shown}\u2026` : '';
}

/** The line below a drawing that says what is under the pointer. */
export function readoutOf(figure: HTMLElement): (text: string) => void {
  const line = figure.querySelector<HTMLElement>('[data-readout]')!;
  return (text) => {
    line.textContent = text;
  };
}
