import { ConnectorError } from '../protocol/errors.ts';

/** First path segments of SonarQube's own pages: what people copy from the address bar instead of the base URL. */
const PAGES = new Set(
  'api projects dashboard issues project_issues security_hotspots component_measures code summary overall_code account admin sessions rules profiles quality_gates settings web_api background_tasks project portfolio portfolios about coding_rules'.split(
    ' ',
  ),
);

/**
 * The server's base URL from what a person entered: context path kept; `/api`, trailing slashes, a pasted page address,
 * query and fragment taken off. Throws `invalid_arguments` for anything that cannot be one.
 */
export function parseBaseUrl(input: string): string {
  let url: URL;
  try {
    url = new URL(input.trim());
  } catch (cause) {
    throw new ConnectorError(
      'invalid_arguments',
      `"${input.replace(/\/\/[^/]*@/, '//')}" is not a URL; give the address of the server as in a browser, for example https://sonar.example.com or https://example.com/sonarqube.`,
      { cause },
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ConnectorError(
      'invalid_arguments',
      `The server's address must begin with http:// or https://, not ${url.protocol}//.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConnectorError(
      'invalid_arguments',
      "The server's address must not contain a user or a password; give the token by SOUNDINGS_TOKEN or --token-file.",
    );
  }
  const segments = url.pathname.split('/').filter((segment) => segment !== '');
  const page = segments.findIndex((segment) => PAGES.has(segment));
  const context = page === -1 ? segments : segments.slice(0, page);
  return [url.origin, ...context].join('/');
}
