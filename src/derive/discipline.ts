/**
 * The discipline that makes the derivation sound: named functions and methods, direct calls, `cpu`
 * first, no callback, closure or getter across a passage of the gate. Each breach is one problem
 * that says what to write instead; all are collected, so that one build shows them all.
 */

import type { AnyNode } from 'acorn';
import { GATE, isStepped, STEPPED_ROOMS } from './call-graph.ts';
import type { Call, Definition, Facts, FunctionNode, Link, Place, Use } from './facts.ts';
import { type Problem, resolveSpecifier, roomOf } from './modules.ts';

type Names = ReadonlySet<string>;

export function checkDiscipline(all: readonly Facts[], stepped: Set<string>): Problem[] {
  const names = new Set([...stepped, GATE]);
  const methods = methodNames(all, names);
  return all.flatMap((facts) => {
    const problems: Problem[] = [];
    const report = (node: AnyNode, message: string | null): void => {
      if (message === null) return;
      const { line, column } = node.loc!.start;
      problems.push({ path: facts.module.path, line, column, message });
    };
    for (const link of facts.links) report(link.node, linkProblem(facts, link, names));
    for (const definition of facts.definitions)
      report(definition.node, definitionProblem(facts, definition, stepped));
    for (const call of facts.calls) report(call.node, callProblem(facts, call, names, methods));
    for (const use of facts.uses) report(use.node, useProblem(facts, use, names, methods));
    return problems.sort((a, b) => a.line - b.line || a.column - b.column);
  });
}

/** Stepped names that are reached as members: methods, and functions put into object literals. */
function methodNames(all: readonly Facts[], names: Names): Set<string> {
  const found = new Set<string>();
  for (const facts of all) {
    for (const { form, name } of facts.definitions)
      if (form === 'method' && name !== null && names.has(name)) found.add(name);
    for (const use of facts.uses)
      if (use.kind === 'shorthand' && names.has(use.name) && !isHidden(facts, use))
        found.add(use.name);
  }
  return found;
}

function linkProblem(facts: Facts, link: Link, names: Names): string | null {
  if (link.kind === 'dynamic') return 'no import() in the tested wing; import at the top';
  const { name, local, source } = link;
  if (!names.has(name) && !names.has(local)) return null;
  if (name !== local)
    return `"${local}" passes the gate under the name "${name}"; ${link.kind} it without renaming`;
  if (source === null) return null;
  const target = resolveSpecifier(facts.module.path, source);
  if (target !== null && !STEPPED_ROOMS.has(roomOf(target)))
    return `"${name}" of ${target} has the name of a function that passes the gate; rename it`;
  if (STEPPED_ROOMS.has(facts.room)) return null;
  return outside(facts, name);
}

function definitionProblem(
  facts: Facts,
  definition: Definition,
  stepped: Set<string>,
): string | null {
  const { name, form, node } = definition;
  if (name === null || !stepped.has(name)) return null;
  if (!STEPPED_ROOMS.has(facts.room))
    return form === 'function' ? null : `${taken(name)}; rename this ${form}`;
  if (form === 'constructor') return null;
  if (!isStepped(facts, definition, stepped))
    return `${passes(name)}, so it cannot be a ${form}; write a method that takes cpu`;
  if (node.async) return `${passes(name)}, so it cannot be async; wait with waitWhile`;
  if (node.generator) return `${passes(name)}, so it cannot be a generator; write a loop`;
  if (definition.isDefaultExport) return `${passes(name)}; export it by name`;
  if (takesCpu(node) || (form === 'method' && isEmptyHook(node))) return null;
  return `${taken(name)}: make "cpu" its first parameter, or rename it`;
}

function takesCpu(node: FunctionNode): boolean {
  const first = node.params[0];
  return first?.type === 'Identifier' && /^_?cpu$/.test(first.name);
}

/** A hook that looks at nothing may leave out its parameters. */
function isEmptyHook({ params, body }: FunctionNode): boolean {
  if (params.length > 0 || body.type !== 'BlockStatement') return false;
  return body.body.every(
    (statement) =>
      statement.type === 'ReturnStatement' &&
      (!statement.argument || /^(Literal|Identifier)$/.test(statement.argument.type)),
  );
}

function callProblem(facts: Facts, call: Call, names: Names, methods: Names): string | null {
  const { name } = call;
  if (!STEPPED_ROOMS.has(facts.room)) {
    const isForeign = name !== null && names.has(name) && !call.isBare && call.passesCpu;
    return isForeign ? outside(facts, name) : null;
  }
  if (name === null) {
    if (!call.passesCpu) return null;
    return 'a computed callee hides whether it passes the gate; call a named method, or switch';
  }
  if (!names.has(name)) return null;
  if (isInGate(facts, call)) return `"${name}" is what ${GATE} calls; rename the other "${name}"`;
  if (call.isBare && isHidden(facts, { name, scopes: call.scopes }))
    return `variable "${name}" hides the function of that name, which passes the gate; rename it`;
  if (name === GATE) {
    if (!call.isStatement) return `${GATE}(…) must be a statement of its own`;
  } else if (!call.passesCpu) {
    return `${taken(name)}: pass cpu first, or call something of another name`;
  }
  if (call.isOptional)
    return `${passes(name)}; call it without "?.", give the socket an empty hook`;
  if (!call.isBare && !methods.has(name))
    return `${passes(name)} as a function: import it and call it by name, or rename this method`;
  return placeProblem(facts, call, name);
}

const REMEDY: Readonly<Record<Place, string | null>> = {
  body: null,
  'arrow function': 'in an arrow function; write a loop, or a function declaration that takes cpu',
  'function expression': 'in a function expression; write a function declaration or a method',
  'default parameter': 'in a default parameter; call it in the body',
  'class field initialiser': 'in a class field initialiser; call it in a method that takes cpu',
  'static block': 'in a static block; call it in a function that takes cpu',
  'module level': 'at module level; call it in a function that takes cpu',
};

function placeProblem(facts: Facts, call: Call, name: string): string | null {
  const remedy = REMEDY[call.place];
  if (remedy !== null) return `${passes(name)}, so it cannot be called ${remedy}`;
  const owner = facts.definitions.find((definition) => definition.node === call.owner);
  if (owner?.form === 'constructor')
    return `${passes(name)}, so it cannot be called in a constructor; do it in "initialize"`;
  if (owner?.name !== null) return null;
  return `${passes(name)}, so the method that calls it needs a name that is not computed`;
}

function useProblem(facts: Facts, use: Use, names: Names, methods: Names): string | null {
  const { kind, name } = use;
  if (!STEPPED_ROOMS.has(facts.room)) return null;
  const other = names.has(use.other) && !isHidden(facts, { name: use.other, scopes: use.scopes });
  if (kind === 'alias' && other)
    return `"${use.other}" passes the gate, so its key must have the same name`;
  if (!names.has(name)) return null;
  switch (kind) {
    case 'value':
      if (isHidden(facts, use)) return null;
      return `${passes(name)}, so it can only be called, not kept or passed on`;
    case 'member':
      return methods.has(name)
        ? `${passes(name)}, so it can only be called; give other properties another name`
        : null;
    case 'shorthand':
      return null;
    case 'function key':
      return `${passes(name)}; write it as a method: ${name}(cpu, …) { … }`;
    case 'alias':
      return methods.has(name) ? `${taken(name)}; write it as a method that takes cpu` : null;
    case 'binding':
      return `${taken(name)}; rename this variable`;
  }
}

/** Whether a variable or parameter of an enclosing function has this name. */
function isHidden(facts: Facts, use: Pick<Use, 'name' | 'scopes'>): boolean {
  return use.scopes.some((scope) => facts.bound.get(scope)?.has(use.name));
}

function isInGate(facts: Facts, call: Call): boolean {
  return facts.definitions.some(({ name, node }) => name === GATE && node === call.owner);
}

function outside(facts: Facts, name: string): string {
  return `room ${facts.room} is not stepped, so it cannot use "${name}", which passes the gate`;
}

function passes(name: string): string {
  return `"${name}" passes the gate`;
}

function taken(name: string): string {
  return `"${name}" is the name of something that passes the gate`;
}
