/** `pttorture report`: the report of a saved result or exploration, as text or as a page. */
import type { Command } from 'commander';
import type { Exploration } from '#result/exploration';
import type { Result } from '#result/result';
import type { Act, Context } from './command-line.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { openHtmlOutput } from './html-output.ts';
import { printExploration, printLockStat, printReport } from './print-report.ts';

export function addReport(program: Command, context: Context, act: Act): void {
  program
    .command('report')
    .description('make the report of a saved result or exploration again')
    .argument('<result>', 'a file that run --json or explore --json wrote')
    .option('--html <file>', 'write it as a page, instead of printing it')
    .option('--lock-stat', 'print its lock statistics instead, in the layout of /proc/lock_stat')
    .action((path: string, options: ReportOptions) => act(() => report(context, path, options)));
}

interface ReportOptions {
  readonly html?: string;
  readonly lockStat?: boolean;
}

async function report(
  context: Context,
  path: string,
  { html: target, lockStat }: ReportOptions,
): Promise<ExitCode> {
  const html = target === undefined ? null : openHtmlOutput(context, target);
  try {
    const document = await documentIn(context, path);
    if (html !== null) await html.write(document);
    else if ('kind' in document) await printExploration(context, document);
    else if (lockStat) await printLockStat(context, document);
    else await printReport(context, document);
    return EXIT.well;
  } finally {
    html?.discard();
  }
}

/** Either kind of document; what is neither is refused as a result. */
async function documentIn({ io }: Context, path: string): Promise<Result | Exploration> {
  const text = io.readText(path);
  if (isExploration(text)) {
    const { parseExploration } = await import('#result/exploration-schema');
    return parseExploration(text, path);
  }
  const { parseResult } = await import('#result/schema');
  return parseResult(text, path);
}

function isExploration(text: string): boolean {
  try {
    return JSON.parse(text)?.kind === 'exploration';
  } catch {
    return false;
  }
}
