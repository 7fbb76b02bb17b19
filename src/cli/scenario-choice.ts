/**
 * Which scenario a word means (a shipped one by its name, or a file by its path), and what it
 * needs.
 */

import type { PlanRequest } from '#scenario/build-plan';
import { unknownName } from './choices.ts';
import type { Context } from './command-line.ts';
import type { Engine, LoadedScenario } from './engine.ts';

export async function scenarioCalled(context: Context, word: string): Promise<LoadedScenario> {
  const { engine, io } = context;
  if (isPath(word)) return engine.loadScenario({ path: word, text: io.readText(word) });
  const names = [...(await engine.scenarioNames())].sort();
  if (!names.includes(word)) {
    throw unknownName('scenario', word, names, ', or give the path of a .yaml file');
  }
  return engine.loadScenario(await engine.scenarioSource(word));
}

/** What can be set about each protocol, as plans want to know it. */
export async function optionsByProtocol(engine: Engine): Promise<PlanRequest['protocolOptions']> {
  const protocols = await engine.protocols();
  return Object.fromEntries(protocols.map(({ name, options }) => [name, options]));
}

function isPath(word: string): boolean {
  return /[/\\]|\.ya?ml$/.test(word);
}
