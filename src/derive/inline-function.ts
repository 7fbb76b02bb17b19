/**
 * Which functions of a module an inlining pass can put in place of their calls: those of the top
 * level that are one `return EXPRESSION;`, or nothing but statements that are expressions.
 */
import type { AnyNode, Expression, FunctionDeclaration } from 'acorn';
import { fullAncestor } from 'acorn-walk';
import { type Names, type Part, scopeOfBody } from './inline-names.ts';
import { usesUntil } from './inline-order.ts';

/** Where a parameter stands in the body. */
export interface ParameterUse {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** `{ name }`. */
  readonly isShorthand: boolean;
}

export interface InlineFunction {
  readonly part: Part;
  readonly parameters: readonly string[];
  /** What it evaluates, one after the other; the last is its value unless `isVoid`. */
  readonly expressions: readonly Expression[];
  readonly isVoid: boolean;
  /** In the order of the text. */
  readonly uses: readonly ParameterUse[];
  /** Names of the module and of the language that stand in the body. */
  readonly free: ReadonlySet<string>;
  /** Uses in the order of evaluation, before anything is read that may change. */
  readonly usesFirst: readonly string[];
  /** The same, before anything may have been changed. */
  readonly usesEarly: readonly string[];
}

/** What must not stand in the body: it means something else in another place. */
const BOUND = /Function|^(Class|This|TaggedTemplate|Import)Expression$|^(Super|Meta|Spread)/;
const BOUND_NAME = /^(arguments|eval)$/;

/** By name; without those that are assigned, or that come to call themselves. */
export function inlineFunctions(parts: readonly Part[], names: Names): Map<string, InlineFunction> {
  const found = new Map<string, InlineFunction>();
  for (const part of parts) {
    const { statement } = part;
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type !== 'FunctionDeclaration') continue;
    const { name } = node.id;
    const inlined = names.assigned.has(name) ? null : inlineFunction(node, part, names);
    if (inlined !== null) found.set(name, inlined);
  }
  for (const name of found.keys()) if (reaches(found, name, name)) found.delete(name);
  return found;
}

function inlineFunction(
  node: FunctionDeclaration,
  part: Part,
  names: Names,
): InlineFunction | null {
  const parameters: string[] = [];
  for (const parameter of node.params) {
    if (parameter.type !== 'Identifier') return null;
    parameters.push(parameter.name);
  }
  const body = node.async || node.generator ? null : bodyOf(node);
  if (body === null) return null;
  const own = new Set(parameters);
  const found = namesIn(body.expressions, own);
  if (found === null) return null;
  const scope = scopeOfBody(names, own);
  return {
    ...{ part, parameters, ...body, ...found },
    usesFirst: usesUntil('reads', body.expressions, own, scope),
    usesEarly: usesUntil('acts', body.expressions, own, scope),
  };
}

/** The expressions of a body that has nothing else; null for any other body. */
function bodyOf(node: FunctionDeclaration): Pick<InlineFunction, 'expressions' | 'isVoid'> | null {
  const { body } = node.body;
  const [first] = body;
  if (first?.type === 'ReturnStatement' && first.argument && body.length === 1)
    return { expressions: [first.argument], isVoid: false };
  const expressions: Expression[] = [];
  for (const statement of body) {
    if (statement.type !== 'ExpressionStatement') return null;
    expressions.push(statement.expression);
  }
  return expressions.length > 0 ? { expressions, isVoid: true } : null;
}

/** The names in a body; null if something in it, or done to a parameter, cannot be moved. */
function namesIn(
  expressions: readonly Expression[],
  parameters: ReadonlySet<string>,
): Pick<InlineFunction, 'uses' | 'free'> | null {
  const uses: ParameterUse[] = [];
  const free = new Set<string>();
  let movable = true;
  for (const expression of expressions)
    fullAncestor(expression, (node, _state, path, type) => {
      if (BOUND.test(node.type)) movable = false;
      if (node.type !== 'Identifier') return;
      const { name, start, end } = node;
      if (BOUND_NAME.test(name)) movable = false;
      if (!parameters.has(name)) {
        free.add(name);
        return;
      }
      const parent = path[path.length - 2];
      if (type === 'VariablePattern' || isPlace(node, parent)) movable = false;
      const isShorthand = parent?.type === 'Property' && parent.shorthand;
      uses.push({ name, start, end, isShorthand });
    });
  uses.sort((a, b) => a.start - b.start);
  return movable ? { uses, free } : null;
}

/** Whether a name is changed or called where it stands: something else could not stand there. */
function isPlace(node: AnyNode, parent: AnyNode | undefined): boolean {
  if (parent?.type === 'CallExpression' || parent?.type === 'NewExpression')
    return parent.callee === node;
  return parent?.type === 'UpdateExpression';
}

/** Whether the body of `from` leads to a call of `to`, through functions to be inlined only. */
function reaches(
  found: ReadonlyMap<string, InlineFunction>,
  from: string,
  to: string,
  passed = new Set<string>(),
): boolean {
  for (const name of found.get(from)?.free ?? []) {
    if (name === to) return true;
    if (passed.has(name) || !found.has(name)) continue;
    passed.add(name);
    if (reaches(found, name, to, passed)) return true;
  }
  return false;
}
