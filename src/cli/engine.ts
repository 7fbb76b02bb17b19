/**
 * The rooms below, as the commands use them. Each is loaded when it is first needed, so that
 * `--help` does not wait for the simulator; a test provides an engine of its own.
 */
import type { BrokenVersion } from '#catalogue/broken-version';
import type { LineEdit } from '#derive/apply-edit';
import type { Explored, ExploreHooks, ExploreRequest } from '#explore/explore';
import type { FromRequest } from '#explore/explore-from';
import type { Replayed, ReplayRequest } from '#explore/replay';
import type { StrategyEntry } from '#explore/strategies/registry';
import type { Recorded, RecordRequest } from '#live/record/record';
import type { Run } from '#result/result';
import type { RunTrace } from '#result/run-trace';
import type { PlanRequest } from '#scenario/build-plan';
import type { SourceText } from '#scenario/document';
import type { Op, Plan } from '#scenario/plan';
import type { ScenarioSummary } from '#scenario/scenario';
import type { Setting } from '#scenario/setting';
import type { Recording } from '#scenario/trace/recording';
import type { RecordedProgram } from '#scenario/trace/trace-scenario';

export interface Engine {
  /** Names of the shipped scenarios. */
  scenarioNames(): Promise<readonly string[]>;
  /** The file of a shipped scenario; of a trace, what is in it. */
  scenarioSource(name: string): Promise<SourceText>;
  /** Throws a `UserError` that begins with `file:line:column`; of a trace, with file and line. */
  loadScenario(source: SourceText): Promise<LoadedScenario>;
  protocols(): Promise<readonly ProtocolInfo[]>;
  brokenVersions(): Promise<readonly BrokenVersion[]>;
  oracles(): Promise<readonly OracleInfo[]>;
  /** Makes the broken version ready; the URL of its entry module, for `RunHooks.entry`. */
  prepareBroken(edit: LineEdit): Promise<string>;
  run(plan: Plan, hooks: RunHooks): Promise<Run>;
  strategies(): Promise<readonly StrategyEntry[]>;
  explore(request: ExploreRequest, hooks: ExploreHooks): Promise<Explored>;
  exploreFrom(request: FromRequest, hooks: ExploreHooks): Promise<Explored>;
  replay(request: ReplayRequest): Promise<Replayed>;
  record(request: Pick<RecordRequest, 'command' | 'tool' | 'signal'>): Promise<Recorded>;
  /** Reads what perf script or strace printed. */
  importRecording(path: string): Promise<Recording>;
}

export interface LoadedScenario extends ScenarioSummary {
  /** Of a trace: what the real program did. */
  readonly recording?: RecordedProgram;
  /** And what its plan does, one operation after another in recorded order. */
  operations?(): Iterable<Op>;
  /** Throws a `UserError` when the scenario cannot run so. */
  buildPlan(request: PlanRequest): Plan;
}

export interface ProtocolInfo {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly options: Readonly<Record<string, Setting>>;
}

export interface OracleInfo {
  readonly name: string;
  readonly sentence: string;
  /** Whether a judge for it exists. */
  readonly judged: boolean;
}

export interface RunHooks {
  /** Tree of the code to run; the living build if left out. */
  readonly entry?: string;
  onProgress?(progress: Progress): void;
  /** Called with the trace at the end, where the plan asks for one. */
  onTrace?(trace: RunTrace): void;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

export interface Progress {
  readonly phase: 'setup' | 'main' | 'fair';
  readonly seconds: number;
  readonly vmpteKiB: number;
  readonly faultsPerSecond: number;
  /** Facts noted so far that an oracle will have to judge. */
  readonly facts: number;
}
