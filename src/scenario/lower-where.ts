/**
 * Where an operation applies: a region, or the running sweep's chunk, and which part or pages of
 * it.
 */
import type { Path } from './document.ts';
import { OP_KINDS, type SpanForm, type WhereForm } from './op-schema.ts';
import type { PageSpan, Region, Share, Where } from './plan.ts';
import type { Scope } from './scope.ts';

/** What surrounds a list of operations. */
export interface Surroundings {
  readonly regions: readonly Region[];
  /** The innermost sweep. */
  readonly sweep: { readonly region: number; readonly share: Share } | null;
  /** The last operation may go on forever. */
  readonly mayBeForever: boolean;
  /** These are the outermost operations of a column. */
  readonly mayMeet: boolean;
}

export function lowerWhere(scope: Scope, form: WhereForm, path: Path, around: Surroundings): Where {
  if (typeof form === 'string') {
    if (form === 'chunk') return lowerWhere(scope, { extent: 'chunk' }, path, around);
    return { region: scope.region(form, path), extent: 'whole', share: 'all' };
  }
  const { sweep } = around;
  const at = [...path, 'extent'];
  const named = form.region !== undefined;
  if (!named && !sweep) {
    const chunk =
      form.extent === 'chunk' ? '"chunk" is of a sweep, and there is none around' : null;
    scope.report(path, chunk ?? 'name a region');
  }
  const region = named ? scope.region(form.region!, [...path, 'region']) : (sweep?.region ?? 0);
  if (form.page !== undefined)
    return { region, extent: lowerSpan(scope, form, path, around.regions[region]), share: 'all' };
  if (form.pages !== undefined)
    scope.reportKey([...path, 'pages'], '"pages" needs "page" beside it');
  const extent = scope.choice(OP_KINDS.extent, form.extent ?? (named ? 'whole' : 'chunk'), at);
  const share = scope.choice(OP_KINDS.share, form.share ?? 'all', [...path, 'share']);
  if (extent !== 'chunk') return { region, extent, share };
  if (named && region !== sweep?.region) {
    scope.report(at, `no sweep of "${form.region}" is around this operation`);
  }
  return { region, extent, share: sweep?.share ?? share };
}

/** Pages by number; `region` is missing after a problem. */
function lowerSpan(scope: Scope, form: SpanForm, path: Path, region: Region | undefined): PageSpan {
  for (const key of ['extent', 'share'] as const)
    if (form[key] !== undefined)
      scope.reportKey([...path, key], `"page" is of the whole region; leave "${key}" out`);
  const page = scope.number(OP_KINDS.page, form.page!, [...path, 'page']);
  const pages = scope.number(OP_KINDS.pages, form.pages ?? 1, [...path, 'pages']);
  if (region && page + pages > region.pages) {
    const key = page < region.pages ? 'pages' : 'page';
    const asked = pages === 1 ? `page ${page}` : `pages ${page} to ${page + pages - 1}`;
    scope.report(
      [...path, form[key] === undefined ? 'page' : key],
      `${asked} of "${region.name}", which has pages 0 to ${region.pages - 1}`,
    );
  }
  return { page, pages };
}
