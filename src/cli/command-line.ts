/**
 * The command line: reads the words, calls one command, and turns every outcome into an exit code.
 * A mistake of the person at the keyboard becomes one lower-case line on stderr.
 */
import { Command, CommanderError } from 'commander';
import { UserError } from '#base/user-error';
import type { Engine } from './engine.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { addExplore } from './explore.ts';
import type { Io } from './io.ts';
import { addList } from './list.ts';
import { addProfile } from './profile.ts';
import { addRecord } from './record.ts';
import { addReplay } from './replay.ts';
import { addReport } from './report.ts';
import { addRun } from './run.ts';
import { addStart } from './start.ts';
import { addValidate } from './validate.ts';

/** What every command is given. */
export interface Context {
  readonly io: Io;
  readonly engine: Engine;
  /** Aborted when the person wants the run to end. */
  readonly signal: AbortSignal;
  /** The words of the command line, without program and script. */
  readonly words: readonly string[];
}

/** Runs a command's work and keeps the exit code it returns. */
export type Act = (work: () => Promise<ExitCode>) => Promise<void>;

export async function runCommandLine(context: Context): Promise<ExitCode> {
  const { io } = context;
  let code: ExitCode = EXIT.well;
  const program = programFor(context, async (work) => {
    code = await work();
  });
  try {
    await program.parseAsync([...context.words], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.well;
    if (error instanceof CommanderError || error instanceof UserError) {
      io.stderr.write(`${visible(oneLine(error, program))}\n`);
      return EXIT.wrong;
    }
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.stderr.write(`internal failure, please report it: ${trace}\n`);
    return EXIT.failed;
  }
}

function programFor(context: Context, act: Act): Command {
  const { io } = context;
  const program = new Command('pttorture')
    .description('Torture for page-table reclaim on real threads; every race is counted.')
    .version(io.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => {},
      getOutHelpWidth: () => io.stdout.columns,
    })
    .addHelpText('after', EXIT_CODES);
  addRun(program, context, act);
  addExplore(program, context, act);
  addProfile(program, context, act);
  addReplay(program, context, act);
  addList(program, context, act);
  addReport(program, context, act);
  addRecord(program, context, act);
  addStart(program, context, act);
  addValidate(program, context, act);
  return program;
}

const EXIT_CODES = `
Exit codes: 0 all well, 1 a violation or an unmet expectation, 2 a wrong command,
3 an internal failure or the deadline, 130 interrupted.`;

/** What a file or a word holds may be in a complaint, and must not act on a terminal. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    const code = control.charCodeAt(0).toString(16).padStart(2, '0');
    return `\\x${code}`;
  });
}

/** The whole complaint on one line. */
function oneLine(error: Error, program: Command): string {
  if (error instanceof CommanderError) return inOurStyle(error, program);
  const [first, ...rest] = error.message.split('\n');
  return rest.length === 0 ? first : `${first} (and ${rest.length} more)`;
}

/** `error: unknown option '--x'` with a hint on a second line becomes `unknown option "--x"; …`. */
function inOurStyle(error: CommanderError, program: Command): string {
  if (error.code === 'commander.help') {
    const names = program.commands.map((command) => command.name()).join(', ');
    return `no command given; choose from ${names} (see pttorture --help)`;
  }
  const [first, ...hints] = error.message.replace(/^error: /, '').split('\n');
  const hint = hints.join(' ').replace(/^\(Did you mean (.*)\?\)$/, 'did you mean $1?');
  const said = first
    .replaceAll("'", '"')
    .replace(/\.$/, '')
    .replace(/\. Expected (\d+) arguments? but got (\d+).*$/, '; $1 expected, $2 given');
  return [said, hint].filter((part) => part !== '').join('; ');
}
