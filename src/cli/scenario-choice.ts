/**
 * Which scenario a word means (a shipped one by its name, or a file by its path), and what it
 * needs.
 */

import type { BrokenVersion } from '#catalogue/broken-version';
import type { PlanRequest } from '#scenario/build-plan';
import { choose, unknownName } from './choices.ts';
import type { Context } from './command-line.ts';
import type { Engine, LoadedScenario } from './engine.ts';
import { isTraceFile, TRACE_ENDING, unpackTrace } from './trace-file.ts';

export async function scenarioCalled(context: Context, word: string): Promise<LoadedScenario> {
  const { engine, io } = context;
  const names = [...(await engine.scenarioNames())].sort();
  if (names.includes(word)) return engine.loadScenario(await engine.scenarioSource(word));
  if (isTraceFile(word)) {
    const text = unpackTrace(io.readBytes(word), word);
    return engine.loadScenario({ path: word, text });
  }
  if (isPath(word)) return engine.loadScenario({ path: word, text: io.readText(word) });
  throw unknownName(
    'scenario',
    word,
    names,
    `, or give the path of a .yaml or ${TRACE_ENDING} file`,
  );
}

/** The broken version of that name; null for none. */
export async function brokenCalled(
  { engine }: Context,
  name: string | undefined,
): Promise<BrokenVersion | null> {
  if (name === undefined) return null;
  const versions = await engine.brokenVersions();
  const known = choose(
    'broken version',
    name,
    versions.map((version) => version.name),
  );
  return versions.find((version) => version.name === known)!;
}

/** What can be set about each protocol, as plans want to know it. */
export async function optionsByProtocol(engine: Engine): Promise<PlanRequest['protocolOptions']> {
  const protocols = await engine.protocols();
  return Object.fromEntries(protocols.map(({ name, options }) => [name, options]));
}

/** Names have a slash too, after their folder; one that is not known is no path for that. */
function isPath(word: string): boolean {
  return /\.ya?ml$/.test(word) || (/[/\\]/.test(word) && !/^(litmus|races|traces)\//.test(word));
}
