/** What each version of the server understands: names of parameters, closed lists of values, fields of answers. */

export const VERSIONS = {
  '9.9': '9.9.8.100196',
  '10.0': '10.0.0.68432',
  '10.7': '10.7.0.96327',
  '25.1': '25.1.0.102122',
  '25.12': '25.12.0.117093',
  '26.9': '26.9.0.129388',
} as const;

export type Version = keyof typeof VERSIONS;

/** 10.7 → 1007, 25.12 → 2512: comparable. */
export function versionNumber(version: Version): number {
  const [major, minor] = version.split('.');
  return Number(major) * 100 + Number(minor);
}

export interface Features {
  readonly number: number;
  readonly full: string;
  readonly bearer: boolean;
  /** `components` of issues/search and `project` of hotspots/search: known beside their old names. */
  readonly newNames: boolean;
  readonly codeVariants: boolean;
  readonly cleanCode: boolean;
  readonly managed: boolean;
  readonly issueStatus: boolean;
  readonly prioritizedRule: boolean;
  /** INFO and BLOCKER exist as severities of impacts, beside LOW, MEDIUM and HIGH. */
  readonly fiveImpactSeverities: boolean;
  readonly directoriesArePrefixes: boolean;
  readonly measuresWithScan: boolean;
  readonly sandbox: boolean;
  readonly lateFields: boolean;
  readonly projectUuid: boolean;
  readonly projectKeys: boolean;
  /** A project that was never analysed: 200 and nothing, instead of 404. */
  readonly emptyProjectIsFound: boolean;
  readonly hotspots: boolean;
  readonly lists: Lists;
}

export interface Lists {
  readonly sorts: readonly string[];
  readonly facets: readonly string[];
  readonly statuses: readonly string[];
  readonly issueStatuses: readonly string[];
  readonly sonarsourceSecurity: readonly string[];
}

export const SEVERITIES = ['INFO', 'MINOR', 'MAJOR', 'CRITICAL', 'BLOCKER'] as const;
export const TYPES = ['CODE_SMELL', 'BUG', 'VULNERABILITY'] as const;
export const RESOLUTIONS = ['FALSE-POSITIVE', 'WONTFIX', 'FIXED', 'REMOVED'] as const;
export const SCOPES = ['MAIN', 'TEST'] as const;
export const QUALITIES = ['MAINTAINABILITY', 'RELIABILITY', 'SECURITY'] as const;
export const IMPACT_SEVERITIES = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'BLOCKER'] as const;
export const CATEGORIES = ['ADAPTABLE', 'CONSISTENT', 'INTENTIONAL', 'RESPONSIBLE'] as const;
export const BOOLEANS = ['true', 'false', 'yes', 'no'] as const;
export const ADDITIONAL_FIELDS = [
  '_all',
  'comments',
  'languages',
  'rules',
  'ruleDescriptionContextKey',
  'transitions',
  'actions',
  'users',
] as const;

const SECURITY_CATEGORIES = [
  ...['buffer-overflow', 'sql-injection', 'rce', 'object-injection', 'command-injection', 'path-traversal-injection'],
  ...['ldap-injection', 'xpath-injection', 'log-injection', 'xxe', 'xss', 'dos', 'ssrf', 'csrf'],
  ...['http-response-splitting', 'open-redirect', 'weak-cryptography', 'auth', 'insecure-conf', 'file-manipulation'],
  ...['encrypt-data', 'traceability', 'permission', 'others'],
];

function sorts(number: number): string[] {
  if (number >= 2607) {
    return [
      ...['CLOSE_DATE', 'UPDATE_DATE', 'TYPE_SEVERITY', 'HOTSPOTS', 'IMPACT_RANK', 'CREATION_DATE'],
      ...['SEVERITY', 'STATUS', 'FILE_LINE'],
    ];
  }
  return ['CREATION_DATE', 'CLOSE_DATE', 'SEVERITY', 'STATUS', 'FILE_LINE', 'HOTSPOTS', 'UPDATE_DATE'];
}

function facets(number: number): string[] {
  const list = [
    ...['projects', 'files', 'assigned_to_me', 'severities', 'statuses', 'resolutions', 'rules', 'assignees'],
    ...['author', 'directories', 'scopes', 'languages', 'tags', 'types', 'pciDss-3.2', 'pciDss-4.0', 'owaspAsvs-4.0'],
  ];
  if (number >= 2503) list.push('owaspMobileTop10-2024');
  list.push('owaspTop10', 'owaspTop10-2021');
  if (number >= 1007) list.push('stig-ASD_V5R3', 'casa');
  list.push('sansTop25', 'cwe', 'createdAt', 'sonarsourceSecurity');
  if (number >= 1001) list.push('codeVariants');
  if (number >= 1002) list.push('cleanCodeAttributeCategories', 'impactSoftwareQualities', 'impactSeverities');
  if (number >= 1004) list.push('issueStatuses');
  if (number >= 1006) list.push('prioritizedRule');
  if (number >= 2512) list.push('complianceStandards');
  return list;
}

/** Everything that depends on the version, in one place. */
export function featuresOf(version: Version): Features {
  const number = versionNumber(version);
  const sandbox = number >= 2510;
  return {
    number,
    full: VERSIONS[version],
    bearer: number >= 1000,
    newNames: number >= 1002,
    codeVariants: number >= 1001,
    cleanCode: number >= 1002,
    managed: number >= 1002,
    issueStatus: number >= 1004,
    prioritizedRule: number >= 1006,
    fiveImpactSeverities: number >= 1008,
    directoriesArePrefixes: number >= 2501,
    measuresWithScan: number >= 2502,
    sandbox,
    lateFields: number >= 2512,
    projectUuid: number >= 2512,
    projectKeys: number >= 2607,
    emptyProjectIsFound: number >= 2601,
    hotspots: number < 2607,
    lists: {
      sorts: sorts(number),
      facets: facets(number),
      statuses: ['OPEN', 'CONFIRMED', 'REOPENED', 'RESOLVED', 'CLOSED', ...(sandbox ? ['IN_SANDBOX'] : [])],
      issueStatuses: ['OPEN', 'CONFIRMED', 'FALSE_POSITIVE', 'ACCEPTED', 'FIXED', ...(sandbox ? ['IN_SANDBOX'] : [])],
      sonarsourceSecurity: number >= 2607 ? ['malicious-dependencies', ...SECURITY_CATEGORIES] : SECURITY_CATEGORIES,
    },
  };
}
