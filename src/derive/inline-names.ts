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
  readonly statement: Statement;
}

/** What one statement of the top level declares and assigns, at any depth. */
export interface Holding {
  readonly declared: Set<string>;
  readonly assigned: Set<string>;
  /** Whether a function stands inside a function. */
  hasClosures: boolean;
}

export interface Survey {
  readonly holdings: ReadonlyMap<Statement, Holding>;
  /** In the order of the text. */
  readonly sites: readonly Site[];
  /** Names that the module's top level declares, and those of them that anything assigns. */
  readonly declared: ReadonlySet<string>;
  readonly assigned: ReadonlySet<string>;
  /** Names of objects of which anything writes a member. */
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
const SCOPE = /Program|Block|Switch|Catch|^For|Function/;
const PATTERN = /^(ObjectPattern|ArrayPattern|RestElement|AssignmentPattern)$/;
const ASSIGNMENT = /^(AssignmentExpression|ForInStatement|ForOfStatement)$/;

export function surveyNames(ast: Program): Survey {
  const holdings = new Map<Statement, Holding>();
  for (const statement of ast.body)
    holdings.set(statement, { declared: new Set(), assigned: new Set(), hasClosures: false });
  const sites: Site[] = [];
  const written = new Set<string>();
  const scopes = new Map<AnyNode, Set<string>>([[ast, new Set()]]);
  const assignments: { name: string; path: readonly AnyNode[] }[] = [];
  fullAncestor(ast, (node, _state, path, type) => {
    if (node.type === 'Program') return;
    const statement = path[1] as Statement;
    const holding = holdings.get(statement)!;
    const assign = (name: string): void => {
      holding.assigned.add(name);
      assignments.push({ name, path: [...path] });
    };
    if (node.type === 'Identifier') {
      if (type !== 'VariablePattern') return;
      if (ASSIGNMENT.test(holderOf(path).type)) return assign(node.name);
      holding.declared.add(node.name);
      const scope = scopeNode(path);
      scopes.set(scope, (scopes.get(scope) ?? new Set()).add(node.name));
    } else if (node.type === 'UpdateExpression') {
      if (node.argument.type === 'Identifier') assign(node.argument.name);
    } else if (node.type === 'MemberExpression') {
      if (isWritten(path)) written.add(rootOf(node));
    } else if (node.type === 'CallExpression' && node.callee.type === 'Identifier') {
      const parent = path[path.length - 2]!;
      if (isInFunction(path)) sites.push({ call: node, name: node.callee.name, parent, statement });
    } else if (FUNCTION.test(node.type) && isInFunction(path)) holding.hasClosures = true;
  });
  sites.sort((a, b) => a.call.start - b.call.start);
  const ofModule = assignments.filter(({ name, path }) => declarerOf(name, path, scopes) === ast);
  const assigned = new Set(ofModule.map(({ name }) => name));
  return { holdings, sites, declared: scopes.get(ast)!, assigned, written };
}

/** What the module's names mean in the body of a function: nothing is known of its parameters. */
export function scopeOfBody(survey: Survey, parameters: ReadonlySet<string>): Scope {
  return scopeWith(survey, parameters, parameters);
}

/** What names mean anywhere inside a statement of the top level. */
export function scopeOfStatement(survey: Survey, statement: Statement): Scope {
  const { declared, assigned, hasClosures } = survey.holdings.get(statement)!;
  return scopeWith(survey, declared, hasClosures ? assigned : new Set());
}

/** `changing`: the local names that something else than the expression itself may change. */
function scopeWith(
  survey: Survey,
  local: ReadonlySet<string>,
  changing: ReadonlySet<string>,
): Scope {
  const { declared, assigned, written } = survey;
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

/** The node in which the name is known that is declared at the end of `path`. */
function scopeNode(path: readonly AnyNode[]): AnyNode {
  let i = holderIndex(path);
  const holder = path[i]!;
  // The name of a function is known around it.
  if ('id' in holder && holder.id === path.at(-1)) i--;
  while (!SCOPE.test(path[i]!.type)) i--;
  return path[i]!;
}

/** The node that declares, for the end of `path`, what `name` means there. */
function declarerOf(
  name: string,
  path: readonly AnyNode[],
  scopes: ReadonlyMap<AnyNode, ReadonlySet<string>>,
): AnyNode | undefined {
  return path.findLast((node) => scopes.get(node)?.has(name));
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
