/**
 * The locks of a run by class: how often each was taken, and what waiting for it cost; and where
 * statistics were kept, the histograms, the call sites, and who waited for whom.
 */
import type { LockBlame, LockFigures, LockPlace, LockSite } from '#result/lock-statistics';
import type { LockSummary, Result, Run } from '#result/result';
import { advice, waitShare } from '../contention.ts';
import { formatCount, formatNs, formatPercent, formatShort } from '../format.ts';
import { axisOf, axisText, histogram } from './histogram.ts';
import { type Html, html } from './markup.ts';
import { asTable, numbers, plainTable, words } from './table.ts';

/** Call sites and pairs of them that are told, those with the longest waits first. */
const SITES_TOLD = 40;

export function locks(result: Result, run: Run, name: string): Html {
  if (run.locks.length === 0) return html`<p>No lock was taken.</p>`;
  return html`${summaries(run, name)}
${run.lockStat != null && statistics(result, run, name)}`;
}

function summaries(run: Run, name: string): Html {
  const heads = ['taken', 'contended', 'share', 'try failed', 'bounces', 'waited', 'of the time'];
  return plainTable(
    `Locks under ${name}`,
    [...words('lock'), ...numbers(...heads, 'held')],
    run.locks.map((lock) => [
      html`<code>${lock.class}</code>`,
      formatShort(lock.acquisitions),
      formatShort(lock.contended),
      formatPercent(lock.contended, lock.acquisitions),
      formatShort(lock.trylockFailed),
      lock.bounces === null ? '-' : formatShort(lock.bounces),
      formatNs(lock.waitNs),
      formatPercent(waitShare(run, lock), 1),
      lock.holdNs === null ? '-' : formatNs(lock.holdNs),
    ]),
  );
}

function statistics(result: Result, run: Run, name: string): Html {
  const { locksPerSample, clockNs } = run.lockStat!;
  const sites = run.locks.flatMap((lock) => (lock.sites ?? []).map((site) => ({ lock, site })));
  const blames = run.locks.flatMap((lock) =>
    (lock.contendedBy ?? []).map((blame) => ({ lock, blame })),
  );
  return html`${advice(result, run).map((sentence) => html`<p>Try: ${sentence}</p>\n`)}
${histograms(run, name)}
<p class="note">Holds are a sample: a CPU times a call site again when it has taken
${formatCount(locksPerSample)} locks; the clock's own ${formatNs(clockNs)} are taken off.</p>
${sites.length > 0 && asTable(siteTable(sites, name), 'By call site')}
${blames.length > 0 && asTable(blameTable(blames, name), 'Who waited for whom')}`;
}

function histograms(run: Run, name: string): Html {
  const figures = run.locks.flatMap((lock) =>
    (lock.modes ?? []).map((mode) => ({ name: modeName(lock, mode), mode })),
  );
  const waits = axisOf(figures.map(({ mode }) => mode.waits));
  const holds = axisOf(figures.map(({ mode }) => mode.holds));
  const head = (what: string, axis: typeof waits): string =>
    axis === null ? what : `${what}, ${axisText(axis)}`;
  return plainTable(
    `How long locks were waited for and held under ${name}`,
    words('lock', head('waited for', waits), head('held', holds)),
    figures.map(({ name: lock, mode }) => [
      html`<code>${lock}</code>`,
      histogram(mode.waits, waits),
      histogram(mode.holds, holds),
    ]),
  );
}

function siteTable(
  sites: readonly { readonly lock: LockSummary; readonly site: LockSite }[],
  name: string,
): Html {
  const heads = ['taken', 'contended', 'bounces', 'waited', 'longest', 'held', 'longest'];
  const worst = sites.toSorted((a, b) => b.site.waits.totalNs - a.site.waits.totalNs);
  return plainTable(
    `Locks by call site under ${name}`,
    [...words('call site', 'lock'), ...numbers(...heads)],
    worst
      .slice(0, SITES_TOLD)
      .map(({ lock, site }) => [
        placeCell(site.place),
        html`<code>${modeName(lock, site)}</code>`,
        ...[site.acquisitions, site.contended, site.bounces].map(formatShort),
        ...[site.waits, site.holds].flatMap(({ totalNs, longestNs }) =>
          [totalNs, longestNs].map(formatNs),
        ),
      ]),
  );
}

function blameTable(
  blames: readonly { readonly lock: LockSummary; readonly blame: LockBlame }[],
  name: string,
): Html {
  const worst = blames.toSorted((a, b) => b.blame.waitNs - a.blame.waitNs);
  return plainTable(
    `Who waited for a lock, and who had taken it, under ${name}`,
    [...words('waiting', 'lock', 'taken by'), ...numbers('waits', 'waited')],
    worst
      .slice(0, SITES_TOLD)
      .map(({ lock, blame }) => [
        placeCell(blame.waiter),
        html`<code>${lock.class}</code>`,
        placeCell(blame.holder),
        formatCount(blame.waits),
        formatNs(blame.waitNs),
      ]),
  );
}

function placeCell(place: LockPlace | null): Html {
  if (place === null) return html`not known`;
  return html`<code>${place.function}</code> <span class="note">${place.path}:${place.line}</span>`;
}

/** A class that has readers has a line for them. */
function modeName(lock: LockSummary, { mode }: LockFigures): string {
  if (mode === 'shared') return `${lock.class}, shared`;
  return (lock.modes ?? []).length > 1 ? `${lock.class}, exclusive` : lock.class;
}
