/**
 * Inlining, for the free-running form: a call of a function of the module that is one expression
 * becomes that expression, with the arguments in place of the parameters.
 *
 *     function peek(at) { return words[at]; }
 *     if (peek(cpu.block + 3) !== 0) …          ->  if ((words[(cpu.block + 3)]) !== 0) …
 *
 * Why: V8 inlines small functions, but stops at a budget of bytecodes for each function that it
 * compiles, and each call of a tiny one (peek, ptdescAt, hasHook) spends from it. A fault and the
 * zap of its page, on one CPU, took 163 ns without this pass and 127 ns with it.
 *
 * The program does what it did before, in the same order: what an argument evaluates is evaluated
 * once, and before whatever in the body acts or could be changed by it (inline-order.ts); a name
 * means in the calling function what it means in the body.
 */
import { type AnyNode, parse } from 'acorn';
import { full } from 'acorn-walk';
import MagicString from 'magic-string';
import { type InlineFunction, inlineFunctions } from './inline-function.ts';
import {
  type Scope,
  type Site,
  type Survey,
  scopeOfStatement,
  surveyNames,
} from './inline-names.ts';
import { isQuietValue, isStableValue, isWork } from './inline-order.ts';

/** Characters that the text may grow by at one call. */
const GROWTH_MAX = 220;
/** Uses of a parameter in whose place arithmetic may stand. */
const WORK_USES_MAX = 2;
/** More than calls are nested in calls and bodies. */
const ROUNDS_MAX = 40;

/** The module `text` with calls inlined until there is none left to inline. */
export function inlineCalls(text: string): string {
  let before = '';
  let after = text;
  for (let round = 0; round < ROUNDS_MAX && after !== before; round++) {
    before = after;
    after = inlineInnermost(before);
  }
  return after;
}

/** Inlines the calls that have no other to inline in their arguments, or in the body called. */
function inlineInnermost(text: string): string {
  const ast = parse(text, { ecmaVersion: 'latest', sourceType: 'module' });
  const survey = surveyNames(ast);
  const functions = inlineFunctions(ast, survey);
  const sites = survey.sites.filter((site) => {
    const called = functions.get(site.name);
    return called !== undefined && canInline(site, called, survey, text);
  });
  const unfinished = new Set(sites.map(({ statement }) => statement));
  const result = new MagicString(text);
  for (const [i, { call, name }] of sites.entries()) {
    const called = functions.get(name)!;
    const next = sites[i + 1]?.call.start ?? text.length;
    if (next >= call.end && !unfinished.has(called.statement))
      result.update(call.start, call.end, inlined(call.arguments, called, text));
  }
  return result.toString();
}

function canInline(site: Site, called: InlineFunction, survey: Survey, text: string): boolean {
  const { call, parent, statement } = site;
  const { declared } = survey.holdings.get(statement)!;
  if (call.optional || call.arguments.length !== called.parameters.length) return false;
  if (called.isVoid ? parent.type !== 'ExpressionStatement' : isReference(site)) return false;
  if (declared.has(site.name) || [...called.free].some((name) => declared.has(name))) return false;
  if (!canMove(call.arguments, called, scopeOfStatement(survey, statement))) return false;
  const growth = inlined(call.arguments, called, text).length - (call.end - call.start);
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

/** The text that takes the place of a call with the arguments `values`. */
function inlined(values: readonly AnyNode[], called: InlineFunction, text: string): string {
  const argument = new Map(
    values.map((value, i) => [called.parameters[i]!, operand(text.slice(value.start, value.end))]),
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
