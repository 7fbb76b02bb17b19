/**
 * Who declares and who changes the names of one module: what the inlining pass must know to move a
 * name from one place to another. It goes by the statements of the module's top level, each with
 * all that is inside it: coarser than scopes, and never wrong in the unsafe direction.
 */
import type { AnyNode, CallExpression, MemberExpression, Program } from 'acorn';
import { fullAncestor } from 'acorn-walk';

export type Statement = Program['body'][number];

/** A call by plain name inside a function. */
export interface Site {
  readonly call: CallExpression;
  readonly name: string;
  readonly parent: AnyNode;
}

/** One statement of the top level, and what it does with names, at any depth. */
export interface Part {
  readonly statement: Statement;
  /** The text in which the positions of its nodes count. */
  readonly source: string;
  /** In the order of the text. */
  readonly sites: readonly Site[];
  readonly declared: ReadonlySet<string>;
  readonly assigned: ReadonlySet<string>;
  /** Names that it declares for the whole module, and that it assigns without declaring them. */
  readonly shared: ReadonlySet<string>;
  readonly assignedOutside: ReadonlySet<string>;
  /** Names of objects of which it writes a member. */
  readonly written: ReadonlySet<string>;
  /** Whether a function stands inside a function. */
  readonly hasClosures: boolean;
}

/** The same of a whole module: what it declares, assigns, and writes members of. */
export interface Names {
  readonly declared: ReadonlySet<string>;
  readonly assigned: ReadonlySet<string>;
  readonly written: ReadonlySet<string>;
}

/** What names mean at one place. */
export interface Scope {
  /** Whether the name's value stays, whatever is called or assigned within one expression. */
  isStable(name: string): boolean;
  /** Whether it is an object whose members stay, too. */
  isConstant(name: string): boolean;
}

/** Objects of the language, and values that it has names for. */
const LANGUAGE = /^(Atomics|Math|Number|Object|undefined|NaN|Infinity)$/;
/** By the house's convention; the bundler adds `$1` where two modules have the same name. */
const CONSTANT = /^[A-Z][A-Z0-9_]*(\$\d+)?$/;
const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
const SCOPE = /Block|Switch|Catch|^For|Function/;
const PATTERN = /^(ObjectPattern|ArrayPattern|RestElement|AssignmentPattern)$/;
const ASSIGNMENT = /^(AssignmentExpression|ForInStatement|ForOfStatement)$/;

export function partOf(statement: Statement, source: string): Part {
  const declared = new Set<string>();
  const assigned = new Set<string>();
  const written = new Set<string>();
  const sites: Site[] = [];
  /** The names of each scope; null stands for the module's. */
  const scopes = new Map<AnyNode | null, Set<string>>();
  const assignments: { name: string; path: readonly AnyNode[] }[] = [];
  let hasClosures = false;
  fullAncestor(statement, (node, _state, path, type) => {
    if (node.type === 'Identifier') {
      if (type !== 'VariablePattern') return;
      if (ASSIGNMENT.test(holderOf(path).type)) {
        assignments.push({ name: node.name, path: [...path] });
      } else {
        const scope = scopeNode(path);
        scopes.set(scope, (scopes.get(scope) ?? new Set()).add(node.name));
        declared.add(node.name);
      }
    } else if (node.type === 'UpdateExpression') {
      if (node.argument.type === 'Identifier')
        assignments.push({ name: node.argument.name, path: [...path] });
    } else if (node.type === 'MemberExpression') {
      if (isWritten(path)) written.add(rootOf(node));
    } else if (node.type === 'CallExpression' && node.callee.type === 'Identifier') {
      const parent = path[path.length - 2]!;
      if (isInFunction(path)) sites.push({ call: node, name: node.callee.name, parent });
    } else if (FUNCTION.test(node.type) && isInFunction(path)) hasClosures = true;
  });
  sites.sort((a, b) => a.call.start - b.call.start);
  const assignedOutside = new Set<string>();
  for (const { name, path } of assignments) {
    assigned.add(name);
    if (!path.some((node) => scopes.get(node)?.has(name))) assignedOutside.add(name);
  }
  const shared = scopes.get(null) ?? new Set();
  return {
    ...{ statement, source, sites, declared, assigned, shared },
    ...{ assignedOutside, written, hasClosures },
  };
}

export function namesOf(parts: readonly Part[]): Names {
  return {
    declared: new Set(parts.flatMap(({ shared }) => [...shared])),
    assigned: new Set(parts.flatMap(({ assignedOutside }) => [...assignedOutside])),
    written: new Set(parts.flatMap(({ written }) => [...written])),
  };
}

/** What the module's names mean in the body of a function: nothing is known of its parameters. */
export function scopeOfBody(names: Names, parameters: ReadonlySet<string>): Scope {
  return scopeWith(names, parameters, parameters);
}

/** What names mean anywhere inside a statement of the top level. */
export function scopeOfPart(names: Names, part: Part): Scope {
  return scopeWith(names, part.declared, part.hasClosures ? part.assigned : new Set());
}

/** `changing`: the local names that something else than the expression itself may change. */
function scopeWith(names: Names, local: ReadonlySet<string>, changing: ReadonlySet<string>): Scope {
  const { declared, assigned, written } = names;
  return {
    isStable(name) {
      if (assigned.has(name)) return false;
      if (local.has(name)) return !changing.has(name);
      return declared.has(name) || LANGUAGE.test(name);
    },
    isConstant(name) {
      if (local.has(name) || written.has(name) || assigned.has(name)) return false;
      return (declared.has(name) ? CONSTANT : LANGUAGE).test(name);
    },
  };
}

function isInFunction(path: readonly AnyNode[]): boolean {
  return path.some(({ type }, i) => i < path.length - 1 && FUNCTION.test(type));
}

/** What declares or assigns the name at the end of `path`. */
function holderOf(path: readonly AnyNode[]): AnyNode {
  return path[holderIndex(path)]!;
}

function holderIndex(path: readonly AnyNode[]): number {
  let i = path.length - 2;
  while (PATTERN.test(path[i]!.type)) i--;
  return i;
}

/** The node in which the name is known that is declared at the end of `path`; null: the module. */
function scopeNode(path: readonly AnyNode[]): AnyNode | null {
  let i = holderIndex(path);
  const holder = path[i]!;
  // The name of a function is known around it.
  if ('id' in holder && holder.id === path.at(-1)) i--;
  while (i >= 0 && !SCOPE.test(path[i]!.type)) i--;
  return path[i] ?? null;
}

/** Whether the member at the end of `path` is assigned or deleted there. */
function isWritten(path: readonly AnyNode[]): boolean {
  const node = path.at(-1)!;
  const parent = path.at(-2)!;
  if (parent.type === 'UpdateExpression') return true;
  if (parent.type === 'UnaryExpression') return parent.operator === 'delete';
  if (ASSIGNMENT.test(parent.type)) return 'left' in parent && parent.left === node;
  return PATTERN.test(parent.type);
}

/** The name that a chain of members begins with; empty if it is none. */
function rootOf(node: MemberExpression): string {
  let object: AnyNode = node;
  while (object.type === 'MemberExpression') object = object.object;
  return object.type === 'Identifier' ? object.name : '';
}
