/**
 * The schema of what `explore --broken all --json` writes; the interface in `catalogue.ts` is the
 * contract.
 */
import { z } from 'zod';
import type { CatalogueOutcome, CatalogueReport } from './catalogue.ts';
import { amount, count, identity, parseDocument, type Same } from './document.ts';
import type { ExploredViolation } from './exploration.ts';
import { explorationSchema, parseExploration } from './exploration-schema.ts';

const OUTCOMES = ['found', 'before', 'other', 'silent'] as CatalogueOutcome[];
const settings = z.record(z.string(), z.string());

const entry = z.object({
  name: z.string(),
  bug: z.string(),
  summary: z.string(),
  source: z.string(),
  oracle: z.string(),
  before: z.object({ oracle: z.string(), why: z.string() }).nullable(),
  conditions: settings,
  flaw: settings,
  outcome: z.enum(OUTCOMES),
  exploration: explorationSchema,
  replays: z.object({ times: count, alike: count, threads: z.string() }).nullable(),
});

const { pttorture, schema, command, seed, machine } = identity;

export const catalogueSchema = z.object({
  ...{ pttorture, schema, command, seed, machine },
  kind: z.literal('catalogue'),
  seconds: amount,
  isInterrupted: z.boolean(),
  entries: z.array(entry),
  controls: z.array(z.object({ of: z.array(z.string()), exploration: explorationSchema })),
});

/**
 * The violations of a saved exploration, or the first of each broken version of a saved catalogue,
 * by their numbers from 1.
 */
export function parseViolations(text: string, name: string): ExploredViolation[] {
  if (!/"kind": *"catalogue"/.test(text)) return parseExploration(text, name).violations;
  const { entries } = parseDocument(catalogueSchema, text, name, 'catalogue');
  return entries.flatMap(({ exploration }) => exploration.violations.slice(0, 1));
}

const schemaEqualsType: Same<z.infer<typeof catalogueSchema>, CatalogueReport> = true;
void schemaEqualsType;
