/**
 * Which names pass the gate. A function is *stepped* if its body holds a `passGate(…)` or a call,
 * with `cpu` first, of a stepped name; the set of names is the least fixpoint. It goes by name and
 * not by binding, so that a call through the protocol socket needs no analysis: every method of
 * that name becomes a generator, an empty hook too. The price is the discipline that a name which
 * passes the gate is used for nothing else (discipline.ts).
 *
 * A call that does not pass `cpu` first spreads no taint: it is reported instead, where it stands.
 */

import type { Call, Definition, Facts, FunctionNode } from './facts.ts';

export const GATE = 'passGate';

/** The rooms whose functions may become generators. */
export const STEPPED_ROOMS: ReadonlySet<string> = new Set([
  'arena',
  'arch',
  'sync',
  'mm',
  'reclaim',
  'tasks',
]);

/** The stepped names of a set of modules, without the gate itself. */
export function steppedNames(all: readonly Facts[]): Set<string> {
  const callers = new Map<string, Set<string>>();
  for (const facts of all) {
    if (!STEPPED_ROOMS.has(facts.room)) continue;
    const nameOf = new Map<FunctionNode, Definition>(facts.definitions.map((d) => [d.node, d]));
    for (const call of facts.calls) {
      const owner = call.owner ? nameOf.get(call.owner) : undefined;
      if (!owner?.name || owner.form === 'constructor' || !spreads(call)) continue;
      callers.set(call.name!, (callers.get(call.name!) ?? new Set()).add(owner.name));
    }
  }
  const names = new Set<string>();
  const pending = [GATE];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const caller of callers.get(name) ?? []) {
      if (names.has(caller) || caller === GATE) continue;
      names.add(caller);
      pending.push(caller);
    }
  }
  return names;
}

/** Whether a definition becomes a generator. */
export function isStepped(facts: Facts, definition: Definition, names: Set<string>): boolean {
  const { name, form } = definition;
  return (
    STEPPED_ROOMS.has(facts.room) &&
    name !== null &&
    names.has(name) &&
    (form === 'function' || form === 'method')
  );
}

function spreads(call: Call): boolean {
  return call.name !== null && call.place === 'body' && (call.passesCpu || call.name === GATE);
}
