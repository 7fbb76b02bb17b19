/** What an exploration found, as text or Markdown. A pure function of the document. */
import type { Exploration, ExploredViolation } from '#result/exploration';
import { renderInterleaving } from './diagram.ts';
import { formatCounted, formatSeconds, formatShort } from './format.ts';
import { type Page, type Paint, pageOf, wrap } from './page.ts';

export interface ExplorationOptions {
  readonly width: number;
  readonly paint: Paint;
}

/** Ends in a newline. With a violation, its last line is the command that replays it. */
export function explorationText(exploration: Exploration, options: ExplorationOptions): string {
  const page = pageOf(options.width, options.paint);
  const { violations } = exploration;
  const blocks = [
    head(page, exploration),
    ...outcomes(page, exploration),
    ...violations.map((violation) => violationText(page, violation)),
    silence(page, exploration),
    ...violations.flatMap(({ replay }) => (replay === null ? [] : [[replayCommand(replay)]])),
  ];
  return `${blocks.map((block) => block.join('\n')).join('\n\n')}\n`;
}

/** The same for a mail or a commit message. */
export function explorationMarkdown(exploration: Exploration): string {
  const { scenario, protocol, broken, violations } = exploration;
  const title = `${scenario} under ${protocol}${broken === null ? '' : `, broken by ${broken}`}`;
  const parts = violations.map((violation) => {
    const { kind, message, interleaving, replay } = violation;
    const diagram = renderInterleaving(interleaving, { width: 100, format: 'markdown' });
    const command = replay === null ? '' : `\n    ${replayCommand(replay)}\n`;
    return `### ${kind}\n\n${message}.\n\n${diagram}\n${sizes(violation)}.\n${command}`;
  });
  return `## ${title}\n\n${figures(exploration)}. ${exploration.silence}\n\n${parts.join('\n')}`;
}

function head(page: Page, exploration: Exploration): string[] {
  const { scenario, protocol, broken, cpus, seed } = exploration;
  const edit = broken === null ? '' : `, broken by ${broken}`;
  const title = `${scenario} under ${protocol}${edit}, ${formatCounted(cpus, 'CPU')}, seed ${seed}`;
  return [...wrap(page, title, 0, 'strong'), ...wrap(page, `${figures(exploration)}.`)];
}

/** How far the search came. */
export function figures(exploration: Exploration): string {
  const { executions, abandoned, steps, seconds, traces, states, plans, searchers } = exploration;
  const { name, depth, bound } = exploration.strategy;
  const option = depth !== null ? ` (depth ${depth})` : bound !== null ? ` (bound ${bound})` : '';
  const rate = seconds > 0 ? executions / seconds : 0;
  return [
    `${name}${option}: ${formatShort(executions)} executions in ${formatSeconds(seconds)} ` +
      `(${formatShort(rate)}/s, ${searchers === 1 ? '1 searcher' : `${searchers} searchers`})`,
    `${formatShort(steps)} steps`,
    `${formatShort(traces)} traces`,
    `${formatShort(states)} final states`,
    ...(abandoned === 0 ? [] : [`${formatShort(abandoned)} given up as repetitions`]),
    ...(plans === 1 ? [] : [`${formatShort(plans)} plans drawn`]),
  ].join(', ');
}

function outcomes(page: Page, exploration: Exploration): string[][] {
  if (exploration.outcomes.length === 0) return [];
  return [
    exploration.outcomes.flatMap(({ outcome, expected, seen, met }) =>
      wrap(page, `${outcome}: ${seen}, expected ${expected}`, 2, met ? 'plain' : 'bad'),
    ),
  ];
}

function violationText(page: Page, violation: ExploredViolation): string[] {
  const { kind, message, interleaving } = violation;
  const { width, paint } = page;
  const diagram = renderInterleaving(interleaving, { width, paint, format: 'text' });
  return [
    ...wrap(page, `${kind}: ${message}`, 2, 'bad'),
    '',
    diagram.trimEnd(),
    '',
    ...wrap(page, `${sizes(violation)}.`, 0, 'dim'),
  ];
}

/** What shrinking has made of a violation. */
export function sizes({ shrunk, found }: ExploredViolation): string {
  const { cpus, operations, steps, preemptions, isMinimal, executions, seconds } = shrunk;
  const least = isMinimal ? ' (no fewer do)' : '';
  return (
    `Shrunk from ${found.steps} steps to ${steps}: ${cpus} CPUs, ${operations} operations, ` +
    `${preemptions} ${preemptions === 1 ? 'preemption' : 'preemptions'}${least}; ` +
    `${formatShort(executions)} executions, ${formatSeconds(seconds)}`
  );
}

function silence(page: Page, exploration: Exploration): string[] {
  return wrap(page, exploration.silence);
}

export function replayCommand(word: string): string {
  return `pttorture replay ${word}`;
}
