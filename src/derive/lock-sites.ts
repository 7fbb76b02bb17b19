/**
 * Call sites of locks, for the lock statistics (sync/lock-stat.ts): each call of a function that
 * takes a lock gets a number as one more argument, and each such function one more parameter.
 *
 *     function pmdLock(cpu, mm, pmdp) { … spinLock(cpu, pml, LOCK.pml); … }
 *       -> function pmdLock(cpu, mm, pmdp, site) { … spinLock(cpu, pml, LOCK.pml, site); … }
 *     const pml = pmdLock(cpu, mm, pmdp);  ->  const pml = pmdLock(cpu, mm, pmdp, 17);
 *
 * A site is a place in the text, so that a wrapper shows through wherever it is called from, and
 * nothing that is called meanwhile can change it. The forms that keep no statistics have none of
 * it: there, the statements that record them are left out. Every line stays the line it was.
 */
import type { AnyNode } from 'acorn';
import type MagicString from 'magic-string';
import type { Definition, Facts, FunctionNode } from './facts.ts';
import type { Problem } from './modules.ts';

/** A call of a function that takes a lock; `line` and `column` in the emitted module. */
export interface LockSite {
  /** The function that the call is in: `doAnonymousPage`, `TableRwsem.walkBegin`. */
  readonly function: string;
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Functions that take a lock for their caller, or do for it what takes one, and so are no call
 * sites themselves; by name.
 */
export const TAKERS: ReadonlySet<string> = new Set(
  `lockStatAcquired lockStatEntered lockStatFailed lockStatWaited traceAcquired traceLockWait
  spinLock spinLockNested spinTrylock takeSpinlock ttasWait lockInOrder noteWaited
  downRead downReadTrylock downWrite waitToEnter vmaReadTrylock vmaWriteLock lockSwitch
  mmapReadLock mmapReadTrylock mmapWriteLock anonVmaLockRead
  vmaStartRead vmaStartWrite lockIfCovers lockVmaUnderRcu
  pmdLock pteOffsetMapLock walkerMapLock mapHeldPosted mapLockPosted
  takeFrame refill putFrame spill release`.split(/\s+/),
);

const PARAMETER = 'site';
/** A call that records statistics, or what a trace tells. */
const RECORDS = /^(lockStat|trace)[A-Z]/;

/** Numbers the sites of one module, the first of which is `sites.length + 1`, into `sites`. */
export function addLockSites(facts: Facts, text: MagicString, sites: LockSite[]): void {
  const takers = new Set<FunctionNode | null>();
  for (const { name, node } of facts.definitions) {
    if (name === null || !TAKERS.has(name)) continue;
    takers.add(node);
    if (!hasParameter(node)) text.appendLeft(node.params.at(-1)!.end, `, ${PARAMETER}`);
  }
  for (const { name, node, owner } of facts.calls) {
    if (name === null || !TAKERS.has(name)) continue;
    const isPassedOn = takers.has(owner);
    if (!isPassedOn) {
      const { line, column } = node.loc!.start;
      const { path } = facts.module;
      sites.push({ function: functionName(facts, owner), path, line, column });
    }
    const site = isPassedOn ? PARAMETER : String(sites.length);
    text.appendLeft(node.arguments.at(-1)!.end, `, ${site}`);
  }
}

/** Leaves out what records statistics, or a trace. */
export function leaveOutStatistics(facts: Facts, text: MagicString): void {
  for (const { name, node } of facts.calls) {
    if (name === null || !RECORDS.test(name)) continue;
    const { start, end } = node;
    const statement = facts.module.text.slice(start, end + 1);
    text.update(start, end + (statement.endsWith(';') ? 1 : 0), statement.replace(/[^\n]/g, ''));
  }
}

/** What would make the rewriting wrong. */
export function checkLockSites(all: readonly Facts[]): Problem[] {
  const problems: Problem[] = [];
  const defined = new Set<string>();
  for (const facts of all) {
    const report = (node: AnyNode, message: string): void => {
      const { line, column } = node.loc!.start;
      problems.push({ path: facts.module.path, line, column, message });
    };
    for (const { name, node } of facts.definitions) {
      if (name === null || !TAKERS.has(name)) continue;
      if (defined.has(name)) report(node, `"${name}" takes locks; no other function is called so`);
      defined.add(name);
      if (!hasParameter(node) && facts.bound.get(node)?.has(PARAMETER))
        report(node, `"${name}" takes locks; in it "${PARAMETER}" is the call site`);
    }
    for (const { name, node, isStatement, isInBlock } of facts.calls)
      if (name !== null && RECORDS.test(name) && !(isStatement && isInBlock))
        report(node, `"${name}" is a statement of its own, in a block, that can be left out`);
  }
  return problems;
}

function hasParameter({ params }: FunctionNode): boolean {
  const last = params.at(-1);
  const name = last?.type === 'AssignmentPattern' ? last.left : last;
  return name?.type === 'Identifier' && name.name === PARAMETER;
}

/** A method's name comes after that of its class. */
function functionName({ module, definitions }: Facts, owner: FunctionNode | null): string {
  const name = definitions.find(({ node }: Definition) => node === owner)?.name ?? 'module';
  for (const statement of module.ast.body) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type !== 'ClassDeclaration' || owner === null) continue;
    if (node.start <= owner.start && owner.end <= node.end) return `${node.id.name}.${name}`;
  }
  return name;
}
