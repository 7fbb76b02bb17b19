/** Sends reports to stdout: the width, the colours and the oracles' sentences are settled here. */
import { styleText } from 'node:util';
import type { Paint, Style } from '#report/page';
import type { TextOptions } from '#report/text';
import type { CatalogueReport } from '#result/catalogue';
import type { Exploration } from '#result/exploration';
import type { Result } from '#result/result';
import type { Validation } from '#result/validation';
import type { Context } from './command-line.ts';
import type { Stream } from './io.ts';

export async function printReport(context: Context, result: Result): Promise<void> {
  const { textReport } = await import('#report/text');
  context.io.stdout.write(textReport(result, await textOptions(context, result)));
}

/** The lock statistics, as wide as they are. */
export async function printLockStat({ io }: Context, result: Result): Promise<void> {
  const { lockStatReport } = await import('#report/lock-stat');
  io.stdout.write(lockStatReport(result));
}

export async function printExploration({ io }: Context, exploration: Exploration): Promise<void> {
  const { explorationText } = await import('#report/exploration');
  const { stdout } = io;
  const options = { width: stdout.columns, paint: paintFor(stdout) };
  stdout.write(explorationText(exploration, options));
}

export async function printCatalogue({ io }: Context, report: CatalogueReport): Promise<void> {
  const { catalogueText } = await import('#report/catalogue');
  const { stdout } = io;
  stdout.write(catalogueText(report, { width: stdout.columns, paint: paintFor(stdout) }));
}

export async function printValidation({ io }: Context, validation: Validation): Promise<void> {
  const { validationText } = await import('#report/validation');
  const { stdout } = io;
  stdout.write(validationText(validation, { width: stdout.columns, paint: paintFor(stdout) }));
}

export async function textOptions(context: Context, result: Result): Promise<TextOptions> {
  const { stdout } = context.io;
  const options = { width: stdout.columns, paint: paintFor(stdout) };
  if (result.runs.every((run) => run.violations.length === 0)) return options;
  const oracles = await context.engine.oracles();
  const sentences = new Map(oracles.map((oracle) => [oracle.name, oracle.sentence]));
  return { ...options, explain: (kind) => sentences.get(kind) };
}

export function paintFor(stream: Stream): Paint {
  if (!stream.isColoured) return (_style, text) => text;
  return (style, text) => {
    const colour = COLOURS[style];
    return colour === null ? text : styleText(colour, text);
  };
}

const COLOURS = {
  plain: null,
  strong: 'bold',
  dim: 'gray',
  good: 'green',
  bad: 'red',
  warn: 'yellow',
} as const satisfies Record<Style, Parameters<typeof styleText>[0] | null>;
