/** `pttorture report`: the text report of a saved result. */
import type { Command } from 'commander';
import type { Act, Context } from './command-line.ts';
import { EXIT } from './exit-code.ts';
import { printReport } from './print-report.ts';

export function addReport(program: Command, context: Context, act: Act): void {
  program
    .command('report')
    .description('print the text report of a saved result again')
    .argument('<result>', 'a file that run --json wrote')
    .action((path: string) =>
      act(async () => {
        const text = context.io.readText(path);
        const { parseResult } = await import('#result/schema');
        await printReport(context, parseResult(text, path));
        return EXIT.well;
      }),
    );
}
