/**
 * What the derivation must know of one module: its named functions, its calls by name, the other
 * uses of names, its imports and exports. One walk over the syntax tree; no judgement here.
 */

import type { AnyNode, CallExpression, Identifier, Program } from 'acorn';
import { fullAncestor } from 'acorn-walk';
import { type Module, roomOf } from './modules.ts';

export type FunctionNode = Extract<
  AnyNode,
  { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }
>;

export interface Facts {
  readonly module: Module;
  readonly room: string;
  readonly definitions: readonly Definition[];
  readonly calls: readonly Call[];
  readonly uses: readonly Use[];
  readonly links: readonly Link[];
  /** Names that variables and parameters of a function (null: of the module) are bound to. */
  readonly bound: ReadonlyMap<FunctionNode | null, ReadonlySet<string>>;
}

export type Form = 'function' | 'method' | 'getter' | 'setter' | 'constructor';

/** A function declaration, or a method of a class or an object literal. */
export interface Definition {
  /** Null for a computed name. */
  readonly name: string | null;
  readonly form: Form;
  readonly node: FunctionNode;
  /** Where the star of a generator goes. */
  readonly starAt: number;
  readonly isDefaultExport: boolean;
}

/** Where a call stands: in the body of a named function, or somewhere a `yield` cannot be. */
export type Place =
  | 'body'
  | 'arrow function'
  | 'function expression'
  | 'default parameter'
  | 'class field initialiser'
  | 'static block'
  | 'module level';

export interface Call {
  /** Null where the callee has no name, as in `table[kind](cpu)`. */
  readonly name: string | null;
  readonly node: CallExpression;
  readonly place: Place;
  /** The function whose body or parameters the call is in; null at module level. */
  readonly owner: FunctionNode | null;
  readonly scopes: readonly FunctionNode[];
  /** The callee is a plain name, not a member. */
  readonly isBare: boolean;
  readonly isOptional: boolean;
  readonly passesCpu: boolean;
  /** The whole of a statement; the parent tells whether that statement stands in a block. */
  readonly isStatement: boolean;
  readonly isInBlock: boolean;
}

/** A use of a name other than as a callee. */
export interface Use {
  readonly name: string;
  readonly node: AnyNode;
  readonly scopes: readonly FunctionNode[];
  /**
   * `value`: a plain name; `member`: `x.name`; `shorthand`: `{ name }` or `{ name: name }`;
   * `function key`: `{ name: () => … }` or a class field that holds a function; `alias`: `{ name:
   * other }`; `binding`: a variable of the module.
   */
  readonly kind: 'value' | 'member' | 'shorthand' | 'function key' | 'alias' | 'binding';
  /** For `alias`, the other name. */
  readonly other: string;
}

/** One name crossing a module boundary, or a whole module for `name === '*'`. */
export interface Link {
  readonly kind: 'import' | 'export' | 'dynamic';
  readonly specifier: AnyNode | null;
  /** The specifier's source; null for an `export { a }` without `from`. */
  readonly source: string | null;
  readonly name: string;
  readonly local: string;
  readonly node: AnyNode;
}

/** Objects of the language whose methods are never ours (`Atomics.load`). */
const LANGUAGE_OBJECTS = /^(Atomics|Math|Object|Array|Number|String|JSON|Reflect|console)$/;
const CONSTANT = /^[A-Z][A-Z0-9_]*$/;
const CPU = /^_?cpu$|Cpu$/;
const BLOCKS = /^(Program|BlockStatement|StaticBlock|SwitchCase)$/;
const PATTERNS = /^(ObjectPattern|ArrayPattern|RestElement|AssignmentPattern)$/;

export function collectFacts(module: Module): Facts {
  const definitions: Definition[] = [];
  const calls: Call[] = [];
  const uses: Use[] = [];
  const bound = new Map<FunctionNode | null, Set<string>>();
  fullAncestor(module.ast, (node, _state, ancestors, type) => {
    const path = [...ancestors];
    const parent = path[path.length - 2];
    if (node.type === 'CallExpression') calls.push(...callOf(node, path));
    else if (node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression')
      definitions.push(...definitionOf(node, parent));
    else if (node.type === 'MemberExpression') uses.push(...memberUse(node, path));
    else if (node.type === 'Property' || node.type === 'PropertyDefinition')
      uses.push(...keyUse(node, path));
    else if (node.type === 'Identifier' && type === 'VariablePattern') pattern(node, path);
    else if (node.type === 'Identifier') uses.push(...valueUse(node, path));
  });
  return {
    module,
    room: roomOf(module.path),
    definitions,
    calls,
    uses,
    links: linksOf(module.ast),
    bound,
  };

  function pattern(node: Identifier, path: readonly AnyNode[]): void {
    let i = path.length - 2;
    while (PATTERNS.test(path[i]!.type)) i--;
    const holder = path[i]!;
    if (holder.type === 'FunctionDeclaration' && holder.id === node) return;
    const scopes = functionsOf(path);
    const use = { name: node.name, node, scopes, other: '' };
    if (/^(AssignmentExpression|For(In|Of)Statement)$/.test(holder.type)) {
      uses.push({ ...use, kind: 'value' });
      return;
    }
    const scope = scopes.at(-1) ?? null;
    bound.set(scope, (bound.get(scope) ?? new Set()).add(node.name));
    if (scope === null) uses.push({ ...use, kind: 'binding' });
  }
}

function definitionOf(node: FunctionNode, parent: AnyNode | undefined): Definition[] {
  if (node.type === 'FunctionDeclaration') {
    const isDefaultExport = parent?.type === 'ExportDefaultDeclaration';
    const starAt = node.start + 'function'.length;
    return [{ name: node.id?.name ?? null, form: 'function', node, starAt, isDefaultExport }];
  }
  if (parent?.type === 'MethodDefinition' || (parent?.type === 'Property' && isMethod(parent))) {
    const name = parent.computed ? null : keyName(parent.key);
    const form = formOf(parent.kind);
    return [{ name, form, node, starAt: parent.key.start, isDefaultExport: false }];
  }
  return [];
}

function formOf(kind: string): Form {
  if (kind === 'get') return 'getter';
  if (kind === 'set') return 'setter';
  return kind === 'constructor' ? 'constructor' : 'method';
}

function isMethod(property: { method: boolean; kind: string }): boolean {
  return property.method || property.kind !== 'init';
}

function callOf(node: CallExpression, path: readonly AnyNode[]): Call[] {
  const { callee } = node;
  if (callee.type === 'Super') return [];
  if (callee.type === 'MemberExpression' && isNamed(callee.object, LANGUAGE_OBJECTS)) return [];
  const first = node.arguments[0];
  const call: Call = {
    name: nameOf(callee),
    node,
    ...placeOf(path),
    scopes: functionsOf(path),
    isBare: callee.type === 'Identifier',
    isOptional: path.some((outer) => inChain(outer, node)),
    passesCpu: first !== undefined && CPU.test(nameOf(first) ?? ''),
    isStatement: path[path.length - 2]?.type === 'ExpressionStatement',
    isInBlock: BLOCKS.test(path[path.length - 3]?.type ?? ''),
  };
  return [call];
}

/** Whether the call is a link of the chain itself, not an argument somewhere inside it. */
function inChain(chain: AnyNode, call: AnyNode): boolean {
  let link: AnyNode | null = chain.type === 'ChainExpression' ? chain.expression : null;
  while (link !== null && link !== call) {
    if (link.type === 'CallExpression') link = link.callee;
    else link = link.type === 'MemberExpression' ? link.object : null;
  }
  return link === call;
}

function placeOf(path: readonly AnyNode[]): { place: Place; owner: FunctionNode | null } {
  for (let i = path.length - 2; i >= 0; i--) {
    const outer = path[i]!;
    const inner = path[i + 1]!;
    if (outer.type === 'StaticBlock') return { place: 'static block', owner: null };
    if (outer.type === 'PropertyDefinition' && outer.value === inner)
      return { place: 'class field initialiser', owner: null };
    if (!isFunction(outer)) continue;
    if (outer.params.some((param) => param === inner))
      return { place: 'default parameter', owner: outer };
    if (outer.type === 'ArrowFunctionExpression') return { place: 'arrow function', owner: outer };
    const isNamed = definitionOf(outer, path[i - 1]).length > 0;
    return { place: isNamed ? 'body' : 'function expression', owner: outer };
  }
  return { place: 'module level', owner: null };
}

function memberUse(node: AnyNode, path: readonly AnyNode[]): Use[] {
  const parent = path[path.length - 2];
  if (node.type !== 'MemberExpression') return [];
  if (parent?.type === 'CallExpression' && parent.callee === node) return [];
  const name = nameOf(node);
  if (name === null || isNamed(node.object, CONSTANT) || isNamed(node.object, LANGUAGE_OBJECTS))
    return [];
  return [{ name, node, scopes: functionsOf(path), kind: 'member', other: '' }];
}

function keyUse(node: AnyNode, path: readonly AnyNode[]): Use[] {
  if (node.type !== 'Property' && node.type !== 'PropertyDefinition') return [];
  const name = node.computed ? null : keyName(node.key);
  const { value } = node;
  if (name === null || !value || (node.type === 'Property' && isMethod(node))) return [];
  const use = { name, node, scopes: functionsOf(path), other: '' };
  if (isFunction(value)) return [{ ...use, kind: 'function key' }];
  if (value.type !== 'Identifier') return [];
  if (value.name === name && node.type === 'Property') return [{ ...use, kind: 'shorthand' }];
  return [{ ...use, kind: 'alias', other: value.name }];
}

function valueUse(node: Identifier, path: readonly AnyNode[]): Use[] {
  const parent = path[path.length - 2];
  if (parent?.type === 'CallExpression' && parent.callee === node) return [];
  if (parent?.type === 'Property' && !parent.computed && keyName(parent.key) === node.name)
    return [];
  return [{ name: node.name, node, scopes: functionsOf(path), kind: 'value', other: '' }];
}

function linksOf(ast: Program): Link[] {
  const links: Link[] = [];
  for (const node of ast.body) {
    if (node.type === 'ImportDeclaration') {
      const source = String(node.source.value);
      links.push({ ...WHOLE, kind: 'import', specifier: node.source, source, node });
      for (const specifier of node.specifiers) {
        if (specifier.type !== 'ImportSpecifier') continue;
        const name = keyName(specifier.imported) ?? '';
        const { local } = specifier;
        links.push({ ...link(name, local.name), kind: 'import', source, node: specifier });
      }
    } else if (node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') {
      const source = node.source ? String(node.source.value) : null;
      if (node.source) {
        links.push({ ...WHOLE, kind: 'export', specifier: node.source, source, node });
      }
      for (const specifier of node.type === 'ExportNamedDeclaration' ? node.specifiers : []) {
        const name = keyName(specifier.exported) ?? '';
        const local = keyName(specifier.local) ?? '';
        links.push({ ...link(name, local), kind: 'export', source, node: specifier });
      }
    }
  }
  fullAncestor(ast, (node) => {
    if (node.type !== 'ImportExpression') return;
    links.push({ ...WHOLE, kind: 'dynamic', source: null, node });
  });
  return links;
}

const WHOLE = { name: '*', local: '*', specifier: null } as const;

function link(name: string, local: string): Pick<Link, 'name' | 'local' | 'specifier'> {
  return { name, local, specifier: null };
}

function functionsOf(path: readonly AnyNode[]): FunctionNode[] {
  return path.slice(0, -1).filter(isFunction);
}

function isFunction(node: AnyNode): node is FunctionNode {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

function isNamed(node: AnyNode, names: RegExp): boolean {
  return node.type === 'Identifier' && names.test(node.name);
}

/** The name by which an expression calls or is called: its own, or its last member's. */
function nameOf(node: AnyNode): string | null {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression') return null;
  if (!node.computed) return keyName(node.property);
  return node.property.type === 'Literal' && typeof node.property.value === 'string'
    ? node.property.value
    : null;
}

function keyName(key: AnyNode): string | null {
  if (key.type === 'Identifier') return key.name;
  if (key.type === 'PrivateIdentifier') return `#${key.name}`;
  return key.type === 'Literal' ? String(key.value) : null;
}
