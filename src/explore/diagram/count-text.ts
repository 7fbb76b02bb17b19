/**
 * What a step on a table's reference count says. A percpu count (sync/percpu-ref.ts) has several
 * words, and a step on one of them means something by the function that makes it; of other counts
 * only the figures are told.
 */
import { REF_ATOMIC, REF_CONFIRM } from '#arena/layout/percpu-ref';
import type { RecordedStep } from './recording.ts';
import { type Frame, isWithin } from './sites.ts';

/** What makes a count ready or moves it between modes; the step on the mode tells of that. */
const UNTOLD = [...['tableConstruct', 'clearLocals', 'beginSwitch', 'percpuRefSwitchToPercpu']];

/** Whether a step asks if a count is zero. */
export function asksForZero(frames: readonly Frame[]): boolean {
  return isWithin(frames, 'percpuRefIsZero');
}

/** Whether a step counts an entry, and not somebody who visits the table. */
export function isOfEntry(frames: readonly Frame[]): boolean {
  return isWithin(frames, 'entriesChanged');
}

/** Whether an act, as told below, takes or returns the reference of somebody who visits a table. */
export function isReference({ text }: { readonly text: string }): boolean {
  return /^(takes|returns) a reference /.test(text);
}

export function takes({ text }: { readonly text: string }): boolean {
  return text.startsWith('takes');
}

/** Whether an act, as told below, finds that nobody refers to a table. */
export function findsNone({ text }: { readonly text: string }): boolean {
  return /^(finds|gets) no reference /.test(text);
}

/** Null: the step is not worth telling. */
export function countText(step: RecordedStep): string | null {
  const { word, found, left, frames } = step;
  if (!frames.some((frame) => frame.function.startsWith('percpuRef')))
    return found === left
      ? `reads ${word.name}: ${found}`
      : `changes ${word.name}: ${found} to ${left}`;
  const table = /table \d+( \(gen \d+\))?/.exec(word.name)![0];
  if (word.name.startsWith('mode')) return modeText(step, table);
  if (word.name.startsWith('switch'))
    return left === REF_CONFIRM.none && found !== left
      ? `ends the switch of the count of ${table}`
      : null;
  if (UNTOLD.some((name) => isWithin(frames, name))) return null;
  return found === left ? lookText(step, table) : changeText(step, table);
}

function modeText({ found, left, frames }: RecordedStep, table: string): string | null {
  if (isWithin(frames, 'tableConstruct')) return null;
  if (found !== left)
    return `switches the count of ${table} to ${isAtomic(left) ? 'atomic' : 'percpu'} mode`;
  if (!asksForZero(frames) || isAtomic(found)) return null;
  return `cannot tell whether ${table} has references: its count is percpu`;
}

function lookText({ found, frames }: RecordedStep, table: string): string | null {
  if (asksForZero(frames)) return `finds ${references(found)} to ${table}`;
  const isDying = found === 0 && isWithin(frames, 'addUnlessZero');
  return isDying ? `gets no reference to ${table}, which is dying` : null;
}

function changeText({ word, found, left, frames }: RecordedStep, table: string): string {
  const isShared = word.cpu < 0;
  // With the bias in it the count is not the value.
  const value = isShared && left >= 0 ? `, which has ${references(left)}` : '';
  const own = isShared ? '' : ` (its own count: ${found} to ${left})`;
  if (isWithin(frames, 'finishSwitch'))
    return isWithin(frames, 'percpuRefPut')
      ? `returns the switch's reference to ${table}${value}`
      : `adds up the count of ${table}${value}`;
  const what = isOfEntry(frames) ? 'the reference of an entry' : 'a reference';
  return `${left > found ? 'takes' : 'returns'} ${what} to ${table}${value}${own}`;
}

function isAtomic(mode: number): boolean {
  return (mode & REF_ATOMIC) !== 0;
}

function references(count: number): string {
  if (count === 0) return 'no reference';
  return count === 1 ? '1 reference' : `${count} references`;
}
