/**
 * In which order an expression evaluates what is in it, and what does not depend on the order.
 *
 * A value is *stable* if nothing within one expression changes it: literals, names that stay,
 * members of constants, arithmetic of these. It is *quiet* if reading it changes nothing, so that
 * only what acts can tell when and how often it is read: fields too. That a field neither acts nor
 * throws is part of the discipline: no getters, no null objects.
 */
import type { AnyNode } from 'acorn';
import type { Scope } from './inline-names.ts';

const ARITHMETIC = /^([-+*/%&|^]|\*\*|<<|>>>?|[<>]=?|[=!]==?)$/;
const SIGN = /^[-+~!]$/;

export function isStableValue(node: AnyNode, scope: Scope): boolean {
  if (node.type === 'Identifier') return scope.isStable(node.name);
  if (node.type === 'Literal') return !('regex' in node);
  if (node.type === 'ThisExpression' || isConstantMember(node, scope)) return true;
  const operands = operandsOf(node);
  return operands.length > 0 && operands.every((operand) => isStableValue(operand, scope));
}

export function isQuietValue(node: AnyNode, scope: Scope): boolean {
  if (node.type === 'Identifier' || isStableValue(node, scope)) return true;
  if (node.type === 'MemberExpression') return !node.computed && isQuietValue(node.object, scope);
  const operands = operandsOf(node);
  return operands.length > 0 && operands.every((operand) => isQuietValue(operand, scope));
}

/** Whether evaluating the value takes arithmetic. */
export function isWork(node: AnyNode): boolean {
  return node.type === 'BinaryExpression' || node.type === 'UnaryExpression';
}

/**
 * The uses of `parameters` in the order in which the expressions evaluate them, up to where
 * something may have been changed (`acts`), or even up to where something is read that may change,
 * or where it is no longer certain what is evaluated (`reads`).
 */
export function usesUntil(
  end: 'reads' | 'acts',
  expressions: readonly AnyNode[],
  parameters: ReadonlySet<string>,
  scope: Scope,
): string[] {
  const uses: string[] = [];
  follow(expressions);
  return uses;

  /** Follows the evaluation of nodes, one after the other; false if the end is in them. */
  function follow(nodes: readonly AnyNode[]): boolean {
    return nodes.every(followOne);
  }

  function followOne(node: AnyNode): boolean {
    if (node.type === 'Identifier' && parameters.has(node.name)) {
      uses.push(node.name);
      return true;
    }
    if (isStableValue(node, scope)) return true;
    const { always, perhaps, does } = evaluation(node);
    if (!follow(always)) return false;
    if (does === 'reads') return end === 'acts' && follow(perhaps);
    return does === 'nothing';
  }
}

interface Evaluation {
  /** What is evaluated first, in order. */
  readonly always: readonly AnyNode[];
  /** What is then evaluated, or not. */
  readonly perhaps: readonly AnyNode[];
  /** What the node itself does after `always`. */
  readonly does: 'nothing' | 'reads' | 'acts';
}

function evaluation(node: AnyNode): Evaluation {
  switch (node.type) {
    case 'Identifier':
      return { always: [], perhaps: [], does: 'reads' };
    case 'MemberExpression':
      return { always: placeOf(node), perhaps: [], does: 'reads' };
    case 'LogicalExpression':
      return { always: [node.left], perhaps: [node.right], does: 'reads' };
    case 'ConditionalExpression':
      return { always: [node.test], perhaps: [node.consequent, node.alternate], does: 'reads' };
    case 'SequenceExpression':
      return { always: node.expressions, perhaps: [], does: 'nothing' };
    case 'AssignmentExpression': {
      const value = node.operator === '=' ? [node.right] : [];
      return { always: [...placeOf(node.left), ...value], perhaps: [], does: 'acts' };
    }
    case 'CallExpression':
    case 'NewExpression':
      return { always: [node.callee, ...node.arguments], perhaps: [], does: 'acts' };
    default: {
      const operands = operandsOf(node);
      return { always: operands, perhaps: [], does: operands.length > 0 ? 'nothing' : 'acts' };
    }
  }
}

/** The operands of arithmetic; none if the node is something else. */
function operandsOf(node: AnyNode): readonly AnyNode[] {
  if (node.type === 'UnaryExpression' && SIGN.test(node.operator)) return [node.argument];
  if (node.type === 'BinaryExpression' && ARITHMETIC.test(node.operator))
    return [node.left, node.right];
  return [];
}

/** What is evaluated to find the place of a member, or of what is assigned. */
function placeOf(node: AnyNode): readonly AnyNode[] {
  if (node.type !== 'MemberExpression') return [];
  return node.computed ? [node.object, node.property] : [node.object];
}

function isConstantMember(node: AnyNode, scope: Scope): boolean {
  if (node.type !== 'MemberExpression' || node.computed) return false;
  const { object } = node;
  return object.type === 'Identifier'
    ? scope.isConstant(object.name)
    : isConstantMember(object, scope);
}
