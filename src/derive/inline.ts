/**
 * Inlining, for the free-running form: a call of a function of the module that is one expression
 * becomes that expression, with the arguments in place of the parameters.
 *
 *     function peek(at) { return words[at]; }
 *     if (peek(cpu.block + 3) !== 0) …          ->  if ((words[(cpu.block + 3)]) !== 0) …
 *
 * Why: V8 inlines small functions, but stops at a budget of bytecodes for each function that it
 * compiles, and each call of a tiny one (peek, ptdescAt, hasHook) spends from it. A fault and the
 * zap of its page, on one CPU, took 145 ns without this pass, 112 ns with it, and 92 ns with a
 * larger budget besides (the machine room sets it).
 *
 * The program does what it did before, in the same order: what an argument evaluates is evaluated
 * once, and before whatever in the body acts or could be changed by it (inline-order.ts); a name
 * means in the calling function what it means in the body.
 */
import { type AnyNode, parse } from 'acorn';
import { full } from 'acorn-walk';
import MagicString from 'magic-string';
import { type InlineFunction, inlineFunctions } from './inline-function.ts';
import { namesOf, type Part, partOf, type Scope, type Site, scopeOfPart } from './inline-names.ts';
import { isQuietValue, isStableValue, isWork } from './inline-order.ts';

/** Characters that the text may grow by at one call. */
const GROWTH_MAX = 220;
/** Uses of a parameter in whose place arithmetic may stand. */
const WORK_USES_MAX = 2;
/** More than calls are nested in calls and bodies. */
const ROUNDS_MAX = 40;
const OPTIONS = { ecmaVersion: 'latest', sourceType: 'module' } as const;

/** The module `text` with calls inlined until there is none left to inline. */
export function inlineCalls(text: string): string {
  const { body } = parse(text, OPTIONS);
  let parts = body.map((statement) => partOf(statement, text));
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const next = inlineInnermost(parts);
    if (next.every((part, i) => part === parts[i])) break;
    parts = next;
  }
  const result = new MagicString(text);
  for (const [i, { start, end }] of body.entries()) {
    const { statement, source } = parts[i]!;
    result.update(start, end, source.slice(statement.start, statement.end));
  }
  return result.toString();
}

/** Inlines the calls that have no other to inline in their arguments, or in the body called. */
function inlineInnermost(parts: readonly Part[]): Part[] {
  const names = namesOf(parts);
  const functions = inlineFunctions(parts, names);
  const sites = new Map<Part, Site[]>();
  for (const part of parts) {
    const found = part.sites.filter((site) => {
      const called = functions.get(site.name);
      return called !== undefined && canInline(site, part, called, scopeOfPart(names, part));
    });
    if (found.length > 0) sites.set(part, found);
  }
  return parts.map((part) => {
    const found = sites.get(part) ?? [];
    const ready = found.filter(({ call, name }, i) => {
      const next = found[i + 1];
      const isInnermost = next === undefined || next.call.start >= call.end;
      return isInnermost && !sites.has(functions.get(name)!.part);
    });
    return ready.length === 0 ? part : withoutCalls(part, ready, functions);
  });
}

function withoutCalls(
  part: Part,
  sites: readonly Site[],
  functions: ReadonlyMap<string, InlineFunction>,
): Part {
  const { statement, source } = part;
  let text = '';
  let from = statement.start;
  for (const { call, name } of sites) {
    text += source.slice(from, call.start) + inlined(call.arguments, source, functions.get(name)!);
    from = call.end;
  }
  text += source.slice(from, statement.end);
  return partOf(parse(text, OPTIONS).body[0]!, text);
}

function canInline(site: Site, part: Part, called: InlineFunction, scope: Scope): boolean {
  const { call, parent, name } = site;
  const { declared, source } = part;
  if (call.optional || call.arguments.length !== called.parameters.length) return false;
  if (called.isVoid ? parent.type !== 'ExpressionStatement' : isReference(site)) return false;
  if (declared.has(name) || [...called.free].some((free) => declared.has(free))) return false;
  if (!canMove(call.arguments, called, scope)) return false;
  const growth = inlined(call.arguments, source, called).length - (call.end - call.start);
  return growth <= GROWTH_MAX;
}

/** Whether the call stands where a member would be more than its value. */
function isReference({ call, parent }: Site): boolean {
  if (parent.type === 'CallExpression') return parent.callee === call;
  if (parent.type === 'TaggedTemplateExpression') return parent.tag === call;
  return parent.type === 'UnaryExpression' && parent.operator === 'delete';
}

/**
 * Whether the arguments can stand in the body. Stable ones can, anywhere. The others can if all are
 * quiet and the body uses them before it acts, or if the body evaluates them first of all, each
 * once and in their order.
 */
function canMove(values: readonly AnyNode[], called: InlineFunction, scope: Scope): boolean {
  const moving: string[] = [];
  let quiet = true;
  for (const [i, value] of values.entries()) {
    const name = called.parameters[i]!;
    if (value.type === 'SpreadElement') return false;
    if (values.length > 1 && assignsName(value)) return false;
    if (isWork(value) && usesOf(called, name) > WORK_USES_MAX) return false;
    if (isStableValue(value, scope)) continue;
    moving.push(name);
    if (!isQuietValue(value, scope)) quiet = false;
  }
  const { usesFirst, usesEarly } = called;
  if (quiet) return moving.every((name) => countOf(usesEarly, name) === usesOf(called, name));
  const first = usesFirst.filter((name) => moving.includes(name));
  return first.join() === moving.join() && first.every((name) => usesOf(called, name) === 1);
}

function countOf(names: readonly string[], name: string): number {
  return names.filter((other) => other === name).length;
}

function usesOf(called: InlineFunction, name: string): number {
  return called.uses.filter((use) => use.name === name).length;
}

/** Whether a value changes a name, which may be another argument. */
function assignsName(value: AnyNode): boolean {
  let assigns = false;
  full(value, (node) => {
    if (node.type === 'AssignmentExpression' && node.left.type !== 'MemberExpression')
      assigns = true;
    if (node.type === 'UpdateExpression' && node.argument.type !== 'MemberExpression')
      assigns = true;
  });
  return assigns;
}

/** The text that takes the place of a call whose arguments, in `source`, are `values`. */
function inlined(values: readonly AnyNode[], source: string, called: InlineFunction): string {
  const text = called.part.source;
  const argument = new Map(
    values.map(({ start, end }, i) => [called.parameters[i]!, operand(source.slice(start, end))]),
  );
  const parts = called.expressions.map(({ start, end }) => {
    let part = '';
    let from = start;
    for (const use of called.uses) {
      if (use.start < start || use.start >= end) continue;
      part += text.slice(from, use.start) + (use.isShorthand ? `${use.name}: ` : '');
      part += argument.get(use.name)!;
      from = use.end;
    }
    return part + text.slice(from, end);
  });
  return `(${parts.join(', ')})`;
}

/** In parentheses unless it is a name or a member. */
function operand(text: string): string {
  return /^[A-Za-z_$][\w$.]*$/.test(text) ? text : `(${text})`;
}
