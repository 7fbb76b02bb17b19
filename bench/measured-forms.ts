/**
 * What the bench times of locks and RCU is the code that the threads of a run load: the
 * free-running form, without lock statistics and with them (derive/free-form.ts). The built forms
 * export only what a thread needs, so they are derived once more, with what the bench calls.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freeForm } from '#derive/free-form';
import type { Modules } from '#derive/modules';
import { deriveForms } from '#derive/rewrite';
import { readModules } from '#derive/tree';
import { inPackage } from './root.ts';

/** What such a form exports. */
export type MeasuredTree = typeof import('#arena/arena') &
  typeof import('#arch/cpu') &
  typeof import('#sync/spinlock') &
  typeof import('#sync/lock-stat') &
  typeof import('#sync/percpu-ref') &
  typeof import('#sync/rcu');

/** Modules of the above, in that order. */
const EXPORTED = [
  'arena/arena',
  'arch/cpu',
  'sync/spinlock',
  'sync/lock-stat',
  'sync/percpu-ref',
  'sync/rcu',
];

/** URLs of both forms. */
export interface MeasuredForms {
  readonly plain: string;
  /** Keeps lock statistics. */
  readonly counted: string;
}

let made: Promise<MeasuredForms> | null = null;

/** Made when first asked for. */
export function measuredForms(): Promise<MeasuredForms> {
  made ??= make();
  return made;
}

async function make(): Promise<MeasuredForms> {
  const { plain, counted } = deriveForms(readModules(inPackage()));
  return { plain: await write('plain', plain), counted: await write('counted', counted) };
}

async function write(name: string, modules: Modules): Promise<string> {
  const folder = inPackage('dist', 'bench-forms', name);
  mkdirSync(folder, { recursive: true });
  const entry = EXPORTED.map((path) => `export * from '../${path}.js';`).join('\n');
  const path = join(folder, 'entry.js');
  writeFileSync(path, await freeForm(new Map(modules).set('tasks/entry.js', entry)));
  return pathToFileURL(path).href;
}
