/** `pttorture report`: the text report of a saved result, or its lock statistics. */
import type { Command } from 'commander';
import type { Act, Context } from './command-line.ts';
import { EXIT } from './exit-code.ts';
import { printLockStat, printReport } from './print-report.ts';

export function addReport(program: Command, context: Context, act: Act): void {
  program
    .command('report')
    .description('print the text report of a saved result again')
    .argument('<result>', 'a file that run --json wrote')
    .option('--lock-stat', 'print its lock statistics instead, in the layout of /proc/lock_stat')
    .action((path: string, { lockStat }: { readonly lockStat?: boolean }) =>
      act(async () => {
        const text = context.io.readText(path);
        const { parseResult } = await import('#result/schema');
        const result = parseResult(text, path);
        if (lockStat) await printLockStat(context, result);
        else await printReport(context, result);
        return EXIT.well;
      }),
    );
}
