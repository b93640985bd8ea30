/** Every chart there is, in the order in which they are shown. A new one is a file in `charts/` and a line here. */
import type { Chart } from './chart.ts';
import { completeness } from './charts/completeness.ts';
import { coverageOverTime } from './charts/coverage-over-time.ts';
import { duplicationsOverTime } from './charts/duplications-over-time.ts';
import { freshness } from './charts/freshness.ts';
import { hotspotsByAge } from './charts/hotspots-by-age.ts';
import { issuesByRule } from './charts/issues-by-rule.ts';
import { issuesBySeverity } from './charts/issues-by-severity.ts';
import { maintainabilityOverTime } from './charts/maintainability-over-time.ts';
import { openedClosed } from './charts/opened-closed.ts';
import { ratings } from './charts/ratings.ts';
import { securityIssuesByAge } from './charts/security-issues-by-age.ts';
import { timeToFix } from './charts/time-to-fix.ts';
import { vulnerabilitiesOverTime } from './charts/vulnerabilities-over-time.ts';
import { worstProjects } from './charts/worst-projects.ts';

export const CHARTS: readonly Chart[] = [
  securityIssuesByAge,
  hotspotsByAge,
  vulnerabilitiesOverTime,
  issuesBySeverity,
  issuesByRule,
  openedClosed,
  timeToFix,
  coverageOverTime,
  duplicationsOverTime,
  maintainabilityOverTime,
  ratings,
  worstProjects,
  freshness,
  completeness,
];

export const chartOf = (id: string): Chart | undefined => CHARTS.find((chart) => chart.id === id);
