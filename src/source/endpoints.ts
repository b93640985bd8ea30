/**
 * Every endpoint this program may ask, in one list. `client.ts` takes no other; `endpoints.test.ts` holds the sources to it,
 * and the README prints it.
 */

/** What each of the six endpoints is asked for, and the SonarQube permission that it needs. */
export const ENDPOINTS = {
  'projects/search': { permission: 'Administer System', purpose: 'the list of projects' },
  'metrics/search': { permission: 'any signed-in user', purpose: 'the list of metrics' },
  'issues/search': { permission: 'Browse on the project', purpose: 'issues of every status' },
  'hotspots/search': { permission: 'Browse on the project', purpose: 'security hotspots' },
  'measures/component': { permission: 'Browse on the project', purpose: 'the current value of every metric' },
  'measures/search_history': {
    permission: 'Browse on the project',
    purpose: 'the value of every metric at every analysis',
  },
} as const;

/** The seventh, asked only for connections with `access: browse`, whose token may not list all projects. */
export const BROWSE_ENDPOINTS = {
  'components/search': {
    permission: 'Browse on the project',
    purpose: 'the list of projects, without Administer System',
  },
} as const;

export type Endpoint = keyof typeof ENDPOINTS | keyof typeof BROWSE_ENDPOINTS;

/** The SonarQube permission that an endpoint needs. */
export const permissionOf = (endpoint: Endpoint): string =>
  ({ ...ENDPOINTS, ...BROWSE_ENDPOINTS })[endpoint].permission;

/** Asked without the token and only to explain a failure; `--listed-endpoints-only` turns it off. */
export const STATUS_ENDPOINT = 'system/status';
