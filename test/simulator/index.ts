/** A SonarQube Server for tests and benchmarks: see README.md. */
export { Accounts } from './auth.ts';
export type { Token, User } from './auth.ts';
export { Dataset, issueStatusOf, lastAnalysisDate, newHotspot, newIssue, newProject } from './dataset.ts';
export type {
  Analysis,
  DatasetInput,
  Hotspot,
  Impact,
  Issue,
  IssueExtras,
  IssueInput,
  IssueStatus,
  IssueType,
  Measures,
  Period,
  Project,
  ProjectInput,
  Resolution,
  Rule,
  Severity,
} from './dataset.ts';
export { Faults, PAGE, actions } from './faults.ts';
export type { Action, Handler, Phase, Request } from './faults.ts';
export { generate } from './generate.ts';
export type { GenerateOptions } from './generate.ts';
export { hasHistory, isNewCode, makeMetric, metricsOf } from './metrics.ts';
export type { Metric } from './metrics.ts';
export { Mutator } from './mutate.ts';
export type { AnalysisInput, Transition } from './mutate.ts';
export { Simulator, startSimulator } from './server.ts';
export type { LogEntry, SimulatorOptions, TokenName } from './server.ts';
export { effortText, seconds } from './time.ts';
export { VERSIONS, featuresOf, versionNumber } from './versions.ts';
export type { Version } from './versions.ts';
