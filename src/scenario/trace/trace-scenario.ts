/**
 * A recording as a scenario: the same calls on as many CPUs as the program had threads, under any
 * protocol. What can be set of it is set as of every scenario, since its frame is one.
 */
import { buildPlan, type PlanRequest } from '../build-plan.ts';
import type { Op, Plan } from '../plan.ts';
import { parseScenario, type ScenarioSummary, scenarioSummary } from '../scenario.ts';
import { encodeCalls } from './calls.ts';
import { demandOf } from './demand.ts';
import { figuresOf, type SampledKiB } from './figures.ts';
import { regionPages, TOP_LEVEL_PAGES, traceOperations } from './operations.ts';
import { readRecording } from './read.ts';
import type { Recording, RecordingHeader } from './recording.ts';

/** CPUs that a recording has by default, at most. */
const CPUS_MAX = 8;
/** The first region of a plan begins so far up, where its gap is 0. */
const FIRST_PAGE = 2 ** 18;
/** Tables that a CPU holds back, and that wait for a grace period. */
const SPARE_TABLES_PER_CPU = 256;
/** From so many tables on, empty ones have no body. */
const LARGE_TABLES = 2 ** 14;

/** What a recording says of the real program. */
export interface RecordedProgram
  extends Pick<
    RecordingHeader,
    'program' | 'recordedWith' | 'touches' | 'kernel' | 'transparentHugePages' | 'threads'
  > {
  /** Name of the trace. */
  readonly name: string;
  readonly events: number;
  readonly lost: number;
  /** Events after the last sample. */
  readonly unsampled: number;
  readonly vmpteKiB: SampledKiB | null;
  readonly rssKiB: SampledKiB | null;
}

export interface TraceScenario extends ScenarioSummary {
  readonly recording: RecordedProgram;
  /** What the plan does, one after another in recorded order. */
  operations(): Iterable<Op>;
  /** Throws a `UserError` when it cannot run so. */
  buildPlan(request: PlanRequest): Plan;
}

/** `text` is what a trace file holds, and `path` is its path; throws a `UserError` with a line. */
export function traceScenario(path: string, text: string): TraceScenario {
  const recording = readRecording(text, path);
  const { header, events } = recording;
  const frame = parseScenario({
    path: path.replace(/\.trace\.gz$/, '.yaml'),
    text: JSON.stringify(frameOf(recording)),
  });
  const summary = scenarioSummary(frame);
  const { program, recordedWith, touches, kernel, transparentHugePages, threads } = header;
  const { unsampled, vmpteKiB, rssKiB } = figuresOf(events);
  const facts = { program, recordedWith, touches, kernel, transparentHugePages, threads };
  const { lost } = header.leftOut;
  return {
    ...summary,
    recording: {
      name: summary.name,
      ...facts,
      events: events.length,
      lost,
      unsampled,
      vmpteKiB,
      rssKiB,
    },
    *operations() {
      for (const { op } of traceOperations(recording)) yield op;
    },
    buildPlan: (request) => withCalls(buildPlan(frame, request), recording),
  };
}

function frameOf({ header, events }: Recording): unknown {
  const { program, recordedWith, recordedAt, kernel, threads, touches } = header;
  const words = [program, ...header.arguments].join(' ');
  const guess = touches === 'assumed' ? ' What became writable counts as touched.' : '';
  return {
    question: `What becomes of the page tables of "${words}"?${guess}`,
    source:
      `${events.length} events of ${threads} threads, recorded with ${recordedWith} on Linux ` +
      `${kernel}, ${recordedAt}`,
    parameters: {
      order: {
        type: 'choice',
        default: 'recorded',
        choices: ['recorded', 'free'],
        summary: 'As recorded, in turns, or each CPU as fast as it can.',
      },
    },
    machine: { cpus: Math.min(threads, CPUS_MAX), ownership: 'shared' },
    regions: { memory: { size: '2MiB' } },
    columns: [{ cpu: 'all', do: ['pressure'] }],
  };
}

function withCalls(plan: Plan, recording: Recording): Plan {
  const ops = [...traceOperations(recording)];
  const { pages, tables } = demandOf(ops);
  const order = plan.parameters['order'] === 'free' ? 'free' : 'recorded';
  const columns = encodeCalls(ops, plan.cpus).map((calls): Op[] => [
    { op: 'recorded', order, calls },
  ]);
  const gapPages = TOP_LEVEL_PAGES - FIRST_PAGE;
  return {
    ...plan,
    regions: [{ name: 'memory', pages: regionPages(recording), flags: [], gapPages }],
    pageFrames: Math.max(1, pages),
    tableFrames: 2 * tables + plan.cpus * SPARE_TABLES_PER_CPU,
    backing: tables > LARGE_TABLES ? 'on-demand' : plan.backing,
    columns,
  };
}
