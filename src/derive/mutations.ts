/**
 * Where the modelled kernel can be damaged, for trying its judges: each statement that takes or
 * drops a lock, flushes, enters or leaves RCU, counts or sets shared state, and each look whether
 * something is still as it was, is a site. A mutation of it is data, found in the emitted modules:
 * which text of which function becomes what.
 *
 * No sites: statistics, attribution, and what judges (checks, facts, the torture tests' own code).
 */
import { createHash } from 'node:crypto';
import type { AnyNode, Expression } from 'acorn';
import { fullAncestor } from 'acorn-walk';
import { type Module, type Modules, parseModules, roomOf } from './modules.ts';
import {
  JUDGING_FUNCTIONS,
  JUDGING_MODULES,
  RECHECKS,
  ROOMS,
  SITES,
  STATISTICS,
} from './mutation-sites.ts';

export const MUTATION_KINDS = [
  'lock',
  'unlock',
  'flush',
  'rcu',
  'count',
  'setter',
  'recheck',
  'condition',
] as const;

export type MutationKind = (typeof MUTATION_KINDS)[number];

export interface Mutation {
  /** Module, function, kind, and a hash of what becomes of what: stays while the text does. */
  readonly id: string;
  readonly kind: MutationKind;
  readonly path: string;
  /** The function's name. */
  readonly inside: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
  /** Which occurrence of `before` in the module it is (0: the first). */
  readonly occurrence: number;
}

/** The source of chance: a whole number from 0 to below `bound`. */
interface Draw {
  below(bound: number): number;
}

/** What becomes of one stretch of a module. */
interface Change {
  readonly kind: MutationKind;
  readonly start: number;
  readonly end: number;
  readonly after: string;
}

const MODULE_LEVEL = 'module';

/** All mutations of a set of emitted modules, in the order of their places. */
export function findMutations(modules: Modules): Mutation[] {
  const sites = new Map([...modules].filter(([path]) => isSite(path)));
  return parseModules(sites).flatMap(mutationsOf);
}

/** `count` of them, different ones, as many of each kind as can be. */
export function drawMutations(all: readonly Mutation[], draw: Draw, count: number): Mutation[] {
  const left = MUTATION_KINDS.map((kind) => all.filter((each) => each.kind === kind));
  const drawn: Mutation[] = [];
  for (let turn = 0; drawn.length < Math.min(count, all.length); turn++) {
    const kind = left[turn % left.length]!;
    if (kind.length > 0) drawn.push(...kind.splice(draw.below(kind.length), 1));
  }
  return drawn;
}

function isSite(path: string): boolean {
  return ROOMS.has(roomOf(path)) && !JUDGING_MODULES.has(path);
}

function mutationsOf(module: Module): Mutation[] {
  const found: Mutation[] = [];
  const times = new Map<string, number>();
  fullAncestor(module.ast, (node, _state, ancestors) => {
    const inside = functionAround(ancestors);
    if (JUDGING_FUNCTIONS.has(inside)) return;
    for (const { kind, start, end, after } of changesAt(module, node)) {
      const before = module.text.slice(start, end);
      const key = `${inside}/${kind}-${hashOf(`${before}\0${after}`)}`;
      const time = (times.get(key) ?? 0) + 1;
      times.set(key, time);
      found.push({
        id: `${module.path.replace(/\.js$/, '')}/${key}${time === 1 ? '' : `.${time}`}`,
        ...{ kind, path: module.path, inside, line: lineOf(module.text, start), before, after },
        occurrence: module.text.slice(0, start).split(before).length - 1,
      });
    }
  });
  return found.sort((a, b) => a.line - b.line);
}

function changesAt(module: Module, node: AnyNode): Change[] {
  switch (node.type) {
    case 'ExpressionStatement':
      return statementChanges(module, node, node.expression);
    case 'VariableDeclarator':
      return node.init ? recheckChanges(module, node.start, node.init, node.end) : [];
    case 'ReturnStatement':
      return node.argument ? recheckChanges(module, node.start, node.argument, node.end) : [];
    case 'IfStatement':
      return ifChanges(module, node);
    default:
      return [];
  }
}

/** A call goes; one that defers becomes what it defers, where the module has that by name. */
function statementChanges(
  { text }: Module,
  { start, end }: AnyNode,
  expression: Expression,
): Change[] {
  if (expression.type !== 'CallExpression') return [];
  const name = lastName(expression.callee);
  const [, what, word] = expression.arguments.map((each) => text.slice(each.start, each.end));
  if (name === 'count' && what !== 'COUNTER.rss') return [];
  const changes: Change[] = [];
  for (const [kind, calls] of SITES)
    if (calls.has(name)) changes.push({ kind, start, end, after: ';' });
  if (name === 'count') changes.push({ kind: 'count', start, end, after: ';' });
  if (name === 'callRcu') {
    const act = what!.replace('RCU_KIND.', '');
    const isAtHand = new RegExp(`(function|import .*) ${act}\\b`).test(text);
    if (isAtHand) changes.push({ kind: 'rcu', start, end, after: `${act}(cpu, ${word});` });
  }
  return changes;
}

function ifChanges(module: Module, node: AnyNode & { type: 'IfStatement' }): Change[] {
  const { start, test, consequent, alternate } = node;
  if (isStatistics(consequent) && (!alternate || isStatistics(alternate))) return [];
  const end = test.end + 1;
  const rechecks = recheckChanges(module, start, test, end);
  return rechecks.length > 0 ? rechecks : [changed(module, start, test, end, 'condition', '!(&)')];
}

/** A look whether things are as they were finds always, or never, or the opposite. */
function recheckChanges(module: Module, start: number, look: Expression, end: number): Change[] {
  if (!looksAgain(look)) return [];
  return ['(&, true)', '(&, false)', '!(&)'].map((becomes) =>
    changed(module, start, look, end, 'recheck', becomes),
  );
}

/** The stretch with `look` as `becomes`, in which `&` stands for what it was. */
function changed(
  { text }: Module,
  start: number,
  look: Expression,
  end: number,
  kind: MutationKind,
  becomes: string,
): Change {
  const was = text.slice(look.start, look.end);
  const after =
    text.slice(start, look.start) + becomes.replace('&', () => was) + text.slice(look.end, end);
  return { kind, start, end, after };
}

/** Whether a truth is found by one of `RECHECKS`. */
function looksAgain(look: Expression): boolean {
  switch (look.type) {
    case 'CallExpression':
      return RECHECKS.has(lastName(look.callee)) && lastName(look.callee) !== 'compareExchange';
    case 'UnaryExpression':
      return look.operator === '!' && looksAgain(look.argument);
    case 'LogicalExpression':
      return looksAgain(look.left) || looksAgain(look.right);
    case 'BinaryExpression':
      return asks(look.left) || asks(look.right);
    default:
      return false;
  }
}

/** Whether the side of a comparison is what one of `RECHECKS` found. */
function asks(side: AnyNode): boolean {
  return side.type === 'CallExpression' && RECHECKS.has(lastName(side.callee));
}

/** Whether a statement counts, records or checks, and no more. */
function isStatistics(statement: AnyNode): boolean {
  if (statement.type === 'BlockStatement') return statement.body.every(isStatistics);
  if (statement.type === 'IfStatement') {
    const { consequent, alternate } = statement;
    return isStatistics(consequent) && (!alternate || isStatistics(alternate));
  }
  return (
    statement.type === 'ExpressionStatement' &&
    statement.expression.type === 'CallExpression' &&
    STATISTICS.has(lastName(statement.expression.callee))
  );
}

/** The name of the innermost function or method around a node. */
function functionAround(ancestors: readonly AnyNode[]): string {
  for (let i = ancestors.length - 2; i >= 0; i--) {
    const node = ancestors[i]!;
    if (node.type === 'FunctionDeclaration') return node.id?.name ?? MODULE_LEVEL;
    if (node.type === 'MethodDefinition') return lastName(node.key);
  }
  return MODULE_LEVEL;
}

/** The name that an expression calls: its own, or its last member's. */
function lastName(callee: AnyNode): string {
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' ? lastName(callee.property) : '';
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}
