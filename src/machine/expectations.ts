/** What a scenario expects of a finished run, held against the figures of its result. */
import { unreachable } from '#base/assert';
import type { ExpectationOutcome, Phase, Run } from '#result/result';
import type { Expectation } from '#scenario/plan';

/** A phase that never began has no figures: what is expected of it is not met. */
export function outcomesOf(expectations: readonly Expectation[], run: Run): ExpectationOutcome[] {
  return expectations.map((expectation) => {
    const { figure, phase, min, max } = expectation;
    const found = figureOf(run, expectation);
    const met = found !== null && (min === null || found >= min) && (max === null || found <= max);
    return { figure, phase, min, max, found: found ?? 0, met };
  });
}

function figureOf(run: Run, { figure, phase }: Expectation): number | null {
  switch (figure) {
    case 'vmpteAboveStartKiB':
      return run.vmpteKiB.end - run.vmpteKiB.start;
    case 'vmpteKiB':
      return phase === null ? run.vmpteKiB.end : (phaseCalled(run, phase)?.vmpteKiB ?? null);
    case 'rssKiB':
      return run.rssKiB.end;
    case 'pteTables':
      return run.tables.pteTablesEnd;
    case 'reclaimedPercent':
      return reclaimedPercent(run);
    case 'phaseSeconds':
      return phaseCalled(run, phase)?.seconds ?? null;
    default:
      return unreachable(figure);
  }
}

function phaseCalled({ phases }: Run, name: string | null): Phase | undefined {
  return phases.find((each) => each.name === name);
}

function reclaimedPercent({ tables }: Run): number {
  return tables.reclaimable === 0 ? 100 : (100 * tables.reclaimed) / tables.reclaimable;
}
