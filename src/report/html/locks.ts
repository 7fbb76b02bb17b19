/** The locks of a run by class: how often each was taken, and what waiting for it cost. */
import type { LockSummary } from '#result/result';
import { formatNs, formatPercent, formatShort } from '../format.ts';
import { type Html, html } from './markup.ts';
import { numbers, plainTable, words } from './table.ts';

const HEADS = ['taken', 'contended', 'share', 'try failed', 'bounces', 'waited', 'held'];

export function locks(summaries: readonly LockSummary[], name: string): Html {
  if (summaries.length === 0) return html`<p>No lock was taken.</p>`;
  return plainTable(
    `Locks under ${name}`,
    [...words('lock'), ...numbers(...HEADS)],
    summaries.map((lock) => [
      html`<code>${lock.class}</code>`,
      formatShort(lock.acquisitions),
      formatShort(lock.contended),
      formatPercent(lock.contended, lock.acquisitions),
      formatShort(lock.trylockFailed),
      lock.bounces === null ? '-' : formatShort(lock.bounces),
      formatNs(lock.waitNs),
      lock.holdNs === null ? '-' : formatNs(lock.holdNs),
    ]),
  );
}
