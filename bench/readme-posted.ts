/**
 * The README's table of flaws as posted: every protocol that has a variant `as-posted` runs so in
 * the scenarios whose actors its flaws need, and the table says what the judges found.
 */
import { runPlan } from '#machine/run';
import { JUDGES } from '#oracles/judges';
import { PROTOCOLS } from '#reclaim/registry';
import { shippedPlan } from './shipped.ts';

const SCENARIOS = [
  'churn',
  'fault-vs-zap',
  'gup-vs-zap',
  'lazyfree-pressure',
  'tlb-shootdown',
  'two-vmas-one-table',
  'walkers-vs-reclaim',
];
const SECONDS = 5;
const NOISE = 10;

/** Rows: protocol; what was violated, in which scenario; the first message. */
export async function postedRows(): Promise<string[]> {
  const rows: string[] = [];
  for (const { name, options } of PROTOCOLS) {
    if (options['variant'] === undefined) continue;
    const found = new Map<string, { scenarios: Set<string>; message: string }>();
    for (const scenario of SCENARIOS) {
      for (const { kind, message } of await violationsOf(scenario, name)) {
        const known = found.get(kind) ?? { scenarios: new Set(), message };
        known.scenarios.add(scenario);
        found.set(kind, known);
      }
      process.stderr.write(`${name} as posted in ${scenario}: ${[...found.keys()].join(', ')}\n`);
    }
    if (found.size === 0) rows.push(`| \`${name}\` | none found | |`);
    for (const [kind, { scenarios, message }] of found) {
      const where = [...scenarios].map((scenario) => `\`${scenario}\``).join(', ');
      rows.push(`| \`${name}\` | \`${kind}\` in ${where} | ${message.replaceAll('|', '\\|')} |`);
    }
  }
  return rows;
}

export function postedLegend(): string {
  return (
    `From \`npm run readme -- posted\`: each with \`-p PROTOCOL.variant=as-posted\`, ${SECONDS} ` +
    `s a scenario (${SCENARIOS.join(', ')}), 8 CPUs, noise ${NOISE}, seed 1; the message is the ` +
    'first of its kind. "None found" is what silence is: no proof.'
  );
}

async function violationsOf(
  name: string,
  protocol: string,
): Promise<{ kind: string; message: string }[]> {
  const plan = shippedPlan(name, protocol, {
    ...{ cpus: 8, noise: NOISE, durationMs: SECONDS * 1000 },
    parameters: { [`${protocol}.variant`]: 'as-posted' },
  });
  const run = await runPlan(plan, { judges: JUDGES, deadlineMs: (SECONDS + 60) * 1000 });
  return run.violations;
}
