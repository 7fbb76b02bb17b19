/** `pttorture report`: the report of a saved document, as text or as a page. */
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import type { SavedDocument } from '#result/saved';
import type { Act, Context } from './command-line.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { openHtmlOutput } from './html-output.ts';
import {
  printCatalogue,
  printExploration,
  printLockStat,
  printReport,
  printValidation,
} from './print-report.ts';

export function addReport(program: Command, context: Context, act: Act): void {
  program
    .command('report')
    .description('make the report of a saved document again')
    .argument('<result>', 'a file that --json of run, explore, profile or validate wrote')
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
  if (target !== undefined && lockStat)
    throw new UserError('--html and --lock-stat exclude each other; give one of them');
  const html = target === undefined ? null : openHtmlOutput(context, target);
  try {
    const text = context.io.readText(path);
    const { hasPage, parseSaved } = await import('#result/saved');
    const document = parseSaved(text, path);
    if (html === null) await print(context, document, path, lockStat ?? false);
    else if (hasPage(document)) await html.write(document);
    else throw new UserError(`"${path}" is a validation, of which there is no page`);
    return EXIT.well;
  } finally {
    html?.discard();
  }
}

async function print(
  context: Context,
  document: SavedDocument,
  path: string,
  lockStat: boolean,
): Promise<void> {
  if (!('kind' in document))
    return lockStat ? printLockStat(context, document) : printReport(context, document);
  if (lockStat) throw new UserError(`"${path}" is no result, which alone has lock statistics`);
  if (document.kind === 'catalogue') return printCatalogue(context, document);
  if (document.kind === 'validation') return printValidation(context, document);
  return printExploration(context, document);
}
