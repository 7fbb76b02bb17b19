/** The head of the page: what was run, where, how to run it again, and what came of it. */
import { type CatalogueReport, isAsNamed } from '#result/catalogue';
import type { Exploration } from '#result/exploration';
import type { Result } from '#result/result';
import { total } from '../catalogue.ts';
import { formatCounted } from '../format.ts';
import { verdictOf, worstVerdict } from '../verdict.ts';
import { type Html, html } from './markup.ts';
import { copyable, factList } from './shell.ts';

/** How good news is; the word beside it always says it too. */
type Mood = 'good' | 'bad' | 'warn';

export function resultHeader(result: Result): Html {
  const { scenario, broken, runs, seed } = result;
  const cpus = [...new Set(runs.map((run) => run.cpus))];
  const edit = broken === null ? null : html`, broken by <code>${broken}</code>`;
  const [mood, outcome] = resultOutcome(result);
  return html`<p class="kind">pttorture, free-running threads</p>
<h1>${scenario}${edit}</h1>
<p class="outcome ${mood}">${outcome}</p>
${factList([['CPUs', cpus.join(', ')], ['seed', String(seed)], ...originOf(result)])}`;
}

export function explorationHeader(exploration: Exploration): Html {
  const { scenario, protocol, broken, violations, cpus, seed, isExhausted } = exploration;
  const edit = broken === null ? null : html`, broken by <code>${broken}</code>`;
  const isUnmet = exploration.outcomes.some(({ met }) => !met);
  const found = formatCounted(violations.length, 'violation');
  const kinds = [...new Set(violations.map(({ kind }) => kind))].join(', ');
  const silent = isExhausted ? 'No violation in all that there is to try.' : 'No violation found.';
  const [mood, outcome]: [Mood, string] =
    violations.length > 0
      ? ['bad', `${found}: ${kinds}.`]
      : isUnmet
        ? ['bad', 'No violation, but an outcome is not as the scenario expects.']
        : ['good', silent];
  return html`<p class="kind">pttorture, exploration of interleavings</p>
<h1>${scenario} under ${protocol}${edit}</h1>
<p class="outcome ${mood}">${outcome}</p>
${factList([['CPUs', String(cpus)], ['seed', String(seed)], ...originOf(exploration)])}`;
}

export function catalogueHeader(report: CatalogueReport): Html {
  const { entries, controls, seed, isInterrupted } = report;
  const isWell =
    !isInterrupted &&
    entries.every(isAsNamed) &&
    controls.every(({ exploration }) => exploration.violations.length === 0);
  return html`<p class="kind">pttorture, exploration of all broken versions</p>
<h1>The catalogue</h1>
<p class="outcome ${isWell ? 'good' : 'bad'}">${total(report)}</p>
${factList([['seed', String(seed)], ...originOf({ ...report, parameters: {} })])}`;
}

function resultOutcome(result: Result): [Mood, string] {
  const { runs } = result;
  const of = (kind: string): number => runs.filter((run) => verdictOf(run).kind === kind).length;
  switch (worstVerdict(result)) {
    case null:
      return ['warn', 'No run was begun.'];
    case 'pass':
      return ['good', runs.length === 1 ? 'The run passed.' : `All ${runs.length} runs passed.`];
    case 'violated': {
      const kinds = new Set(runs.flatMap(({ violations }) => violations.map(({ kind }) => kind)));
      const where = runs.length === 1 ? '' : ` in ${of('violated')} of ${runs.length} runs`;
      return ['bad', `Violated${where}: ${[...kinds].join(', ')}.`];
    }
    case 'unmet':
      return ['bad', `No violation, but ${of('unmet')} of ${runs.length} not as expected.`];
    case 'deadline':
      return ['bad', 'A run had not ended when its deadline came; its figures are partial.'];
    case 'interrupted':
      return ['warn', 'Interrupted; the figures are partial.'];
  }
}

type Origin = Pick<Result, 'pttorture' | 'machine' | 'parameters' | 'command'>;

function originOf(document: Origin): [string, Html | string][] {
  const { pttorture, machine, parameters, command } = document;
  const given = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const { node, platform, cores, memoryGiB } = machine;
  return [
    ...(given.length > 0 ? [['parameters', given.join(', ')] as [string, string]] : []),
    [
      'machine',
      `${platform}, ${formatCounted(cores, 'core')}, ${memoryGiB.toFixed(1)} GiB, node ${node}`,
    ],
    ['version', `pttorture ${pttorture}`],
    ['run it again', copyable(command, 'the command')],
  ];
}
