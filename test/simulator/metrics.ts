/** The metrics of the server, by version, as `metrics/search` lists them. */
import { createHash } from 'node:crypto';

export type MetricType =
  'INT' | 'FLOAT' | 'PERCENT' | 'BOOL' | 'STRING' | 'MILLISEC' | 'DATA' | 'LEVEL' | 'RATING' | 'WORK_DUR';

export interface Metric {
  readonly id: string;
  readonly key: string;
  readonly type: MetricType;
  readonly name: string;
  readonly description: string;
  readonly domain: string;
  readonly direction: -1 | 0 | 1;
  readonly qualitative: boolean;
  readonly hidden: boolean;
  readonly decimalScale?: number;
  readonly bestValue?: string;
}

/**
 * key | type | name | domain | flags, where flags are: - or + for the direction, q qualitative, h hidden,
 * =N the best value. A line that starts with @ says from which version on (and before which) the next lines exist.
 */
const TABLE = `
ncloc|INT|Lines of Code|Size|-
coverage|PERCENT|Coverage|Coverage|+q=100
violations|INT|Issues|Issues|-q=0
bugs|INT|Bugs|Reliability|-=0
vulnerabilities|INT|Vulnerabilities|Security|-=0
code_smells|INT|Code Smells|Maintainability|-=0
alert_status|LEVEL|Quality Gate Status|Releasability|+q
duplicated_lines_density|PERCENT|Duplicated Lines (%)|Duplications|-q=0
sqale_index|WORK_DUR|Technical Debt|Maintainability|-q=0
sqale_rating|RATING|Maintainability Rating|Maintainability|-q=1
reliability_rating|RATING|Reliability Rating|Reliability|-q=1
security_rating|RATING|Security Rating|Security|-q=1
new_coverage|PERCENT|Coverage on New Code|Coverage|+q=100
new_violations|INT|New Issues|Issues|-q=0
security_hotspots|INT|Security Hotspots|SecurityReview|-=0
security_hotspots_reviewed|PERCENT|Security Hotspots Reviewed|SecurityReview|+q=100
security_review_rating|RATING|Security Review Rating|SecurityReview|-q=1
complexity|INT|Cyclomatic Complexity|Complexity|-
cognitive_complexity|INT|Cognitive Complexity|Complexity|-=0
blocker_violations|INT|Blocker Issues|Issues|-q=0
critical_violations|INT|Critical Issues|Issues|-q=0
major_violations|INT|Major Issues|Issues|-q=0
minor_violations|INT|Minor Issues|Issues|-q=0
info_violations|INT|Info Issues|Issues|-q=0
open_issues|INT|Open Issues|Issues|-=0
reopened_issues|INT|Reopened Issues|Issues|-=0
confirmed_issues|INT|Confirmed Issues|Issues|-=0
false_positive_issues|INT|False Positive Issues|Issues|-=0
@909-1004
wont_fix_issues|INT|Won't Fix Issues|Issues|-=0
@1004
accepted_issues|INT|Accepted Issues|Issues|-
@909
new_lines|INT|New Lines|Size|-
lines|INT|Lines|Size|-
generated_lines|INT|Generated Lines|Size|-=0
generated_ncloc|INT|Generated Lines of Code|Size|-=0
ncloc_language_distribution|DATA|Lines of Code Per Language|Size|-
classes|INT|Classes|Size|-
files|INT|Files|Size|-
functions|INT|Functions|Size|-
statements|INT|Statements|Size|-
projects|INT|Project branches|Size|-
public_api|INT|Public API|Documentation|-
public_documented_api_density|PERCENT|Public Documented API (%)|Documentation|+q=100
public_undocumented_api|INT|Public Undocumented API|Documentation|-q=0
comment_lines|INT|Comment Lines|Size|+
comment_lines_density|PERCENT|Comments (%)|Size|+q
comment_lines_data|DATA|comment_lines_data|Size|h
ncloc_data|DATA|ncloc_data|Size|h
executable_lines_data|DATA|executable_lines_data|Coverage|h
@909-2510
file_complexity|FLOAT|Complexity / File|Complexity|-q
file_complexity_distribution|DATA|File Distribution / Complexity|Complexity|q
complexity_in_classes|INT|Complexity in Classes|Complexity|-
class_complexity|FLOAT|Complexity / Class|Complexity|-q
complexity_in_functions|INT|Complexity in Functions|Complexity|-
function_complexity|FLOAT|Complexity / Function|Complexity|-q
function_complexity_distribution|DATA|Function Distribution / Complexity|Complexity|q
@909
tests|INT|Unit Tests|Coverage|+
test_execution_time|MILLISEC|Unit Test Duration|Coverage|-
test_errors|INT|Unit Test Errors|Coverage|-q=0
skipped_tests|INT|Skipped Unit Tests|Coverage|-q=0
test_failures|INT|Unit Test Failures|Coverage|-q=0
test_success_density|PERCENT|Unit Test Success (%)|Coverage|+q=100
lines_to_cover|INT|Lines to Cover|Coverage|-
new_lines_to_cover|INT|Lines to Cover on New Code|Coverage|-
uncovered_lines|INT|Uncovered Lines|Coverage|-=0
new_uncovered_lines|INT|Uncovered Lines on New Code|Coverage|-=0
line_coverage|PERCENT|Line Coverage|Coverage|+q=100
new_line_coverage|PERCENT|Line Coverage on New Code|Coverage|+q=100
conditions_to_cover|INT|Conditions to Cover|Coverage|-
new_conditions_to_cover|INT|Conditions to Cover on New Code|Coverage|-
uncovered_conditions|INT|Uncovered Conditions|Coverage|-=0
new_uncovered_conditions|INT|Uncovered Conditions on New Code|Coverage|-=0
branch_coverage|PERCENT|Condition Coverage|Coverage|+q=100
new_branch_coverage|PERCENT|Condition Coverage on New Code|Coverage|+q=100
duplicated_lines|INT|Duplicated Lines|Duplications|-q=0
new_duplicated_lines|INT|Duplicated Lines on New Code|Duplications|-q=0
new_duplicated_lines_density|PERCENT|Duplicated Lines (%) on New Code|Duplications|-q=0
duplicated_blocks|INT|Duplicated Blocks|Duplications|-q=0
new_duplicated_blocks|INT|Duplicated Blocks on New Code|Duplications|-q=0
duplicated_files|INT|Duplicated Files|Duplications|-q=0
duplications_data|DATA|Duplication Details|Duplications|
new_blocker_violations|INT|New Blocker Issues|Issues|-q=0
new_critical_violations|INT|New Critical Issues|Issues|-q=0
new_major_violations|INT|New Major Issues|Issues|-q=0
new_minor_violations|INT|New Minor Issues|Issues|-q=0
new_info_violations|INT|New Info Issues|Issues|-q=0
new_code_smells|INT|New Code Smells|Maintainability|-q=0
new_bugs|INT|New Bugs|Reliability|-q=0
new_vulnerabilities|INT|New Vulnerabilities|Security|-q=0
new_security_hotspots|INT|New Security Hotspots|SecurityReview|-q=0
new_technical_debt|WORK_DUR|Added Technical Debt|Maintainability|-q=0
new_maintainability_rating|RATING|Maintainability Rating on New Code|Maintainability|-q=1
development_cost|STRING|Development Cost|Maintainability|-q
new_development_cost|FLOAT|Development Cost on New Code|Maintainability|-qh
sqale_debt_ratio|PERCENT|Technical Debt Ratio|Maintainability|-q=0
new_sqale_debt_ratio|PERCENT|Technical Debt Ratio on New Code|Maintainability|-q=0
effort_to_reach_maintainability_rating_a|WORK_DUR|Effort to Reach Maintainability Rating A|Maintainability|-q=0
reliability_remediation_effort|WORK_DUR|Reliability Remediation Effort|Reliability|-=0
new_reliability_remediation_effort|WORK_DUR|Reliability Remediation Effort on New Code|Reliability|-=0
new_reliability_rating|RATING|Reliability Rating on New Code|Reliability|-q=1
security_remediation_effort|WORK_DUR|Security Remediation Effort|Security|-=0
new_security_remediation_effort|WORK_DUR|Security Remediation Effort on New Code|Security|-=0
new_security_rating|RATING|Security Rating on New Code|Security|-q=1
new_security_review_rating|RATING|Security Review Rating on New Code|SecurityReview|-q=1
new_security_hotspots_reviewed|PERCENT|Security Hotspots Reviewed on New Code|SecurityReview|+q=100
security_hotspots_reviewed_status|INT|Security Review Reviewed Status|SecurityReview|-h=0
security_hotspots_to_review_status|INT|Security Review To Review Status|SecurityReview|-h=0
new_security_hotspots_reviewed_status|INT|Security Review Reviewed Status on New Code|SecurityReview|-h=0
new_security_hotspots_to_review_status|INT|Security Review To Review Status on New Code|SecurityReview|-h=0
quality_gate_details|DATA|Quality Gate Details|General|
quality_profiles|DATA|Profiles|General|h
last_commit_date|MILLISEC|Date of Last Commit|SCM|h
analysis_from_sonarqube_9_4|BOOL|Analysis From SonarQube 9.4|Issues|h
unanalyzed_c|INT|Number of unanalyzed c files|Size|-
unanalyzed_cpp|INT|Number of unanalyzed c++ files|Size|-
@1004
new_accepted_issues|INT|New Accepted Issues|Issues|-
high_impact_accepted_issues|INT|High Impact Accepted Issues|Issues|-
pull_request_fixed_issues|INT|Pull request fixed issues|Issues|+h
maintainability_issues|DATA|Maintainability Issues|Maintainability|-
reliability_issues|DATA|Reliability Issues|Reliability|-
security_issues|DATA|Security Issues|Security|-
new_maintainability_issues|DATA|New Maintainability Issues|Maintainability|-
new_reliability_issues|DATA|New Reliability Issues|Reliability|-
new_security_issues|DATA|New Security Issues|Security|-
@1007
prioritized_rule_issues|INT|Issues from prioritized rules|Issues|-q=0
software_quality_maintainability_rating|RATING|Maintainability Rating|Maintainability|-q=1
new_software_quality_maintainability_rating|RATING|Maintainability Rating on New Code|Maintainability|-q=1
software_quality_reliability_rating|RATING|Reliability Rating|Reliability|-q=1
new_software_quality_reliability_rating|RATING|Reliability Rating on New Code|Reliability|-q=1
software_quality_security_rating|RATING|Security Rating|Security|-q=1
new_software_quality_security_rating|RATING|Security Rating on New Code|Security|-q=1
effort_to_reach_software_quality_maintainability_rating_a|WORK_DUR|Effort to Reach Maintainability Rating A|Maintainability|-q=0
software_quality_maintainability_remediation_effort|WORK_DUR|Technical Debt|Maintainability|-q=0
new_software_quality_maintainability_remediation_effort|WORK_DUR|Added Technical Debt|Maintainability|-q=0
software_quality_reliability_remediation_effort|WORK_DUR|Reliability Remediation Effort|Reliability|-q=0
new_software_quality_reliability_remediation_effort|WORK_DUR|Reliability Remediation Effort on New Code|Reliability|-q=0
software_quality_security_remediation_effort|WORK_DUR|Security Remediation Effort|Security|-q=0
new_software_quality_security_remediation_effort|WORK_DUR|Security Remediation Effort on New Code|Security|-q=0
software_quality_maintainability_debt_ratio|PERCENT|Technical Debt Ratio|Maintainability|-q=0
new_software_quality_maintainability_debt_ratio|PERCENT|Technical Debt Ratio on New Code|Maintainability|-q=0
@1008
software_quality_blocker_issues|INT|Blocker Severity Issues|Issues|-q=0
software_quality_high_issues|INT|High Severity Issues|Issues|-q=0
software_quality_medium_issues|INT|Medium Severity Issues|Issues|-q=0
software_quality_low_issues|INT|Low Severity Issues|Issues|-q=0
software_quality_info_issues|INT|Info Severity Issues|Issues|-q=0
software_quality_maintainability_issues|INT|Maintainability Issues|Maintainability|-q=0
software_quality_reliability_issues|INT|Reliability Issues|Reliability|-q=0
software_quality_security_issues|INT|Security Issues|Security|-q=0
new_software_quality_blocker_issues|INT|New Blocker Severity Issues|Issues|-q=0
new_software_quality_high_issues|INT|New High Severity Issues|Issues|-q=0
new_software_quality_medium_issues|INT|New Medium Severity Issues|Issues|-q=0
new_software_quality_low_issues|INT|New Low Severity Issues|Issues|-q=0
new_software_quality_info_issues|INT|New Info Severity Issues|Issues|-q=0
new_software_quality_maintainability_issues|INT|New Maintainability Issues|Maintainability|-q=0
new_software_quality_reliability_issues|INT|New Reliability Issues|Reliability|-q=0
new_software_quality_security_issues|INT|New Security Issues|Security|-q=0
@2510
issues_in_sandbox|INT|Issues in Sandbox|Issues|-
@2609
new_ncloc|INT|New Lines of Code|Size|-
maintainability_issue_severity|INT|Maintainability Issue Severity|Maintainability|-q=0
reliability_issue_severity|INT|Reliability Issue Severity|Reliability|-q=0
security_issue_severity|INT|Security Issue Severity|Security|-q=0
new_maintainability_issue_severity|INT|Maintainability Issue Severity on New Code|Maintainability|-q=0
new_reliability_issue_severity|INT|Reliability Issue Severity on New Code|Reliability|-q=0
new_security_issue_severity|INT|Security Issue Severity on New Code|Security|-q=0
`;

/** The same text always gives the same identifier, which looks like the server's. */
export function identifier(text: string): string {
  const hex = createHash('md5').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

export function makeMetric(line: string): Metric {
  const [key = '', type = 'INT', name = '', domain = '', flags = ''] = line.split('|');
  const best = /=(\d+)/.exec(flags)?.[1];
  return {
    id: identifier(`metric ${key}`),
    key,
    type: type as MetricType,
    name,
    description: name,
    domain,
    direction: flags.startsWith('-') ? -1 : flags.startsWith('+') ? 1 : 0,
    qualitative: flags.includes('q'),
    hidden: flags.includes('h'),
    ...(type === 'PERCENT' || type === 'FLOAT' ? { decimalScale: 1 } : {}),
    ...(best === undefined ? {} : { bestValue: type === 'PERCENT' || type === 'RATING' ? `${best}.0` : best }),
  };
}

/** The metrics of one version, the best known ones first. */
export function metricsOf(versionNumber: number): Metric[] {
  const metrics: Metric[] = [];
  let from = 0;
  let before = Infinity;
  for (const line of TABLE.trim().split('\n')) {
    const range = /^@(\d+)(?:-(\d+))?$/.exec(line);
    if (range) {
      from = Number(range[1]);
      before = Number(range[2] ?? Infinity);
    } else if (versionNumber >= from && versionNumber < before) metrics.push(makeMetric(line));
  }
  return metrics;
}

/** New-code metrics have a value only now, under `period`; their history is dates without values. */
export function isNewCode(key: string): boolean {
  return key.startsWith('new_');
}

const NEW_CODE_WITH_HISTORY = new Set([
  'new_development_cost',
  'new_sqale_debt_ratio',
  'new_software_quality_maintainability_debt_ratio',
]);

const WITHOUT_HISTORY = new Set([
  'duplications_data',
  'security_hotspots_reviewed_status',
  'security_hotspots_to_review_status',
  'pull_request_fixed_issues',
]);

export function hasHistory(key: string): boolean {
  return isNewCode(key) ? NEW_CODE_WITH_HISTORY.has(key) : !WITHOUT_HISTORY.has(key);
}
