/** What the programs in this folder have in common: how they print and end. */
import { UserError } from '#base/user-error';

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs `main` for its exit status; a mistake of the person at the keyboard is one line, and 2. */
export async function runProgram(name: string, main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 2;
  }
}
