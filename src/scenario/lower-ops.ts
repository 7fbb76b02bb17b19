/**
 * Operations as people write them become operations of the plan: names to numbers, all defaults in.
 */
import type { Path } from './document.ts';
import { lowerWhere, type Surroundings } from './lower-where.ts';
import {
  type BrkForm,
  type ChoiceForm,
  type MmapForm,
  type MprotectForm,
  type MremapForm,
  OP_KINDS,
  OP_NAMES,
  OP_WORDS,
  type OpForm,
  type OpMap,
  type SweepForm,
  type TouchForm,
} from './op-schema.ts';
import type { Op, Share } from './plan.ts';
import type { Scope } from './scope.ts';
import type { Written } from './setting.ts';

export function lowerOps(
  scope: Scope,
  ops: readonly OpForm[],
  path: Path,
  around: Surroundings,
): Op[] {
  return ops.map((op, index) => {
    const mayBeForever = around.mayBeForever && index === ops.length - 1;
    return lowerOp(scope, op, [...path, index], { ...around, mayBeForever });
  });
}

function lowerOp(scope: Scope, form: OpForm, path: Path, around: Surroundings): Op {
  if (typeof form === 'string') return lowerWord(form);
  const name = nameOf(scope, form, path);
  const at = [...path, name ?? ''];
  const inside = { ...around, mayBeForever: false, mayMeet: false };
  const body = (sweep: Surroundings['sweep']): Op[] =>
    lowerOps(scope, form.do ?? [], [...path, 'do'], { ...inside, sweep });

  switch (name) {
    case 'mmap':
      return lowerMmap(scope, form.mmap!, at, around);
    case 'munmap':
      return { op: 'munmap', ...lowerWhere(scope, form.munmap!, at, around) };
    case 'mprotect':
      return lowerMprotect(scope, form.mprotect!, at, around);
    case 'mremap':
      return lowerMremap(scope, form.mremap!, at, around);
    case 'brk':
      return lowerBrk(scope, form.brk!, at, around);
    case 'touch':
      return lowerTouch(scope, form.touch!, at, around);
    case 'dontneed':
      return { op: 'dontneed', ...lowerWhere(scope, form.dontneed!, at, around) };
    case 'purge':
      return { op: 'purge', ...lowerWhere(scope, form.purge!, at, around) };
    case 'punch': {
      const percent = scope.number(OP_KINDS.percent, form.punch!.percent, [...at, 'percent']);
      return { op: 'punch', ...lowerWhere(scope, form.punch!, at, around), percent };
    }
    case 'madvise': {
      const advice = scope.choice(OP_KINDS.advice, form.madvise!.advice, [...at, 'advice']);
      return { op: 'madvise', ...lowerWhere(scope, form.madvise!, at, around), advice };
    }
    case 'walk': {
      const walker = scope.choice(OP_KINDS.walker, form.walk!.walker, [...at, 'walker']);
      return { op: 'walk', ...lowerWhere(scope, form.walk!, at, around), walker };
    }
    case 'reclaim':
      return { op: 'reclaim', ...lowerWhere(scope, form.reclaim!, at, around) };
    case 'sweep': {
      const sweep = lowerSweep(scope, form.sweep!, at);
      return { op: 'sweep', ...sweep, do: body(sweep) };
    }
    case 'loop':
      return {
        op: 'loop',
        times: lowerTimes(scope, form.loop!, at, around),
        do: body(around.sweep),
      };
    case 'mix': {
      const times = lowerTimes(scope, form.mix!, at, around);
      const choices = lowerChoices(scope, form.choices ?? [], [...path, 'choices'], inside);
      return { op: 'mix', times, choices };
    }
    case 'sleep':
      return { op: 'sleep', ms: scope.number(OP_KINDS.ms, form.sleep!, at) };
    case 'rendezvous':
      if (!around.mayMeet) {
        scope.report(at, 'only an outermost operation of a column may be a rendezvous');
      }
      return { op: 'rendezvous', phase: form.rendezvous! };
    case 'rcutorture':
      return { op: 'rcutorture', role: scope.choice(OP_KINDS.role, form.rcutorture!, at) };
    case 'locktorture':
      return { op: 'locktorture', lock: scope.choice(OP_KINDS.lock, form.locktorture!, at) };
    case null:
      return { op: 'pressure' };
  }
}

function lowerWord(word: (typeof OP_WORDS)[number]): Op {
  if (word === 'pressure') return { op: 'pressure' };
  return { op: 'scan', untilIdle: word === 'scan-until-idle' };
}

/** The one operation that the mapping names, or null after a problem. */
function nameOf(scope: Scope, form: OpMap, path: Path): (typeof OP_NAMES)[number] | null {
  const names = OP_NAMES.filter((name) => form[name] !== undefined);
  const [name] = names;
  if (name === undefined || names.length > 1) {
    const found = names.length > 0 ? ` instead of ${names.join(' and ')}` : '';
    const known = [...OP_WORDS, ...OP_NAMES].join(', ');
    scope.report(path, `expected one operation${found}: ${known}`);
    return null;
  }
  const takesDo = name === 'sweep' || name === 'loop';
  if (takesDo && !form.do) scope.report(path, `"${name}" needs "do" beside it`);
  if (!takesDo && form.do) scope.reportKey([...path, 'do'], `"${name}" takes no "do"`);
  if (name === 'mix' && !form.choices) scope.report(path, '"mix" needs "choices" beside it');
  if (name !== 'mix' && form.choices) {
    scope.reportKey([...path, 'choices'], `"${name}" takes no "choices"`);
  }
  return name;
}

function lowerMmap(scope: Scope, form: MmapForm, path: Path, around: Surroundings): Op {
  const written = typeof form === 'string' ? 'write' : (form.protection ?? 'write');
  const protection = scope.choice(OP_KINDS.protection, written, [...path, 'protection']);
  return { op: 'mmap', ...lowerWhere(scope, form, path, around), protection };
}

function lowerMprotect(scope: Scope, form: MprotectForm, path: Path, around: Surroundings): Op {
  const protection = scope.choice(OP_KINDS.protection, form.protection, [...path, 'protection']);
  return { op: 'mprotect', ...lowerWhere(scope, form, path, around), protection };
}

/** What is moved or grows must find its place in the region, and not where it is already. */
function lowerMremap(scope: Scope, form: MremapForm, path: Path, around: Surroundings): Op {
  const where = lowerWhere(scope, form, path, around);
  const region = around.regions[where.region];
  const { page, pages } =
    typeof where.extent === 'object' ? where.extent : { page: 0, pages: region?.pages ?? 1 };
  if (typeof where.extent !== 'object' && (where.extent !== 'whole' || where.share !== 'all'))
    scope.report(path, 'mremap is of pages by number, or of a whole region');
  const number = (key: 'to' | 'newPages', kind: 'page' | 'pages'): number | null =>
    form[key] === undefined ? null : scope.number(OP_KINDS[kind], form[key], [...path, key]);
  const to = number('to', 'page');
  const newPages = number('newPages', 'pages') ?? pages;
  const first = to ?? page;
  if (region && first + newPages > region.pages) {
    const key = form.newPages === undefined ? 'to' : 'newPages';
    const asked = `pages ${first} to ${first + newPages - 1}`;
    const last = region.pages - 1;
    scope.report([...path, key], `${asked} of "${region.name}", which has pages 0 to ${last}`);
  }
  if (to !== null && to < page + pages && page < to + newPages)
    scope.report([...path, 'to'], 'pages cannot be moved to where some of them are');
  const extent = { page, pages };
  return { op: 'mremap', region: where.region, extent, share: 'all', to, newPages };
}

function lowerBrk(scope: Scope, form: BrkForm, path: Path, around: Surroundings): Op {
  const number = scope.region(form.region, [...path, 'region']);
  const pages = scope.number(OP_KINDS.heapPages, form.pages, [...path, 'pages']);
  const region = around.regions[number];
  if (region && pages > region.pages)
    scope.report([...path, 'pages'], `"${region.name}" has ${region.pages} pages`);
  return { op: 'brk', region: number, pages };
}

function lowerTouch(scope: Scope, form: TouchForm, path: Path, around: Surroundings): Op {
  const long = typeof form === 'string' ? {} : form;
  const { pages = 'every', ...place } = long;
  const isSpan = long.page !== undefined;
  const isShort = typeof form === 'string';
  const where = lowerWhere(scope, isShort || isSpan ? form : place, path, around);
  const access = scope.choice(OP_KINDS.access, long.access ?? 'write', [...path, 'access']);
  // Of a span, `pages` is the length.
  if (isSpan) return { op: 'touch', ...where, access, pages: 'every' };
  const named = pages === 'every' || pages === 'one-per-slot';
  const count = named ? pages : scope.number(OP_KINDS.pages, pages, [...path, 'pages']);
  return { op: 'touch', ...where, access, pages: count };
}

interface Sweep {
  readonly region: number;
  readonly share: Share;
  readonly pages: number;
}

function lowerSweep(scope: Scope, form: SweepForm, path: Path): Sweep {
  return {
    region: scope.region(form.region, [...path, 'region']),
    share: scope.choice(OP_KINDS.share, form.share ?? 'all', [...path, 'share']),
    pages: scope.number(OP_KINDS.by, form.by, [...path, 'by']),
  };
}

function lowerTimes(scope: Scope, times: Written, path: Path, around: Surroundings): number | null {
  if (times !== 'forever') return scope.number(OP_KINDS.times, times, path);
  if (!around.mayBeForever) {
    scope.report(path, 'only the last operation of a column may go on forever');
  }
  return null;
}

function lowerChoices(
  scope: Scope,
  choices: readonly ChoiceForm[],
  path: Path,
  around: Surroundings,
): { weight: number; do: Op[] }[] {
  const lowered = choices.map((choice, index) => ({
    weight: scope.number(OP_KINDS.weight, choice.weight, [...path, index, 'weight']),
    do: lowerOps(scope, choice.do, [...path, index, 'do'], around),
  }));
  const drawn = lowered.some((choice) => choice.weight > 0);
  if (choices.length > 0 && !drawn) scope.report(path, 'one choice needs a weight above 0');
  return lowered;
}
