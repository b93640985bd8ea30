/** What the form for a new connection holds, and what of it is sent. Pure. */
import type { Input } from '../../api.ts';

/** Everything but the secrets: kept by the browser's tab until the connection is stored. */
export interface Draft {
  readonly base_url: string;
  readonly name: string;
  readonly access: 'admin' | 'browse';
  /** Keys, one per line. */
  readonly projects: string;
  readonly proxy_url: string;
  readonly ca_certificate: string;
  readonly client_certificate: string;
}

/** Never kept. */
export interface Secrets {
  readonly api_token: string;
  readonly client_key: string;
}

export const EMPTY: Draft = {
  base_url: '',
  name: '',
  access: 'admin',
  projects: '',
  proxy_url: '',
  ca_certificate: '',
  client_certificate: '',
};

export const NO_SECRETS: Secrets = { api_token: '', client_key: '' };

/** Is anything of it not on the first sight of the form? */
export const isAdvanced = (draft: Draft): boolean =>
  (Object.keys(EMPTY) as (keyof Draft)[]).some((field) => field !== 'base_url' && draft[field] !== EMPTY[field]);

/** What a tab kept, whatever another version of the page put there. */
export function read(kept: string | undefined): Draft {
  try {
    const found: unknown = JSON.parse(kept ?? '{}');
    if (typeof found !== 'object' || found === null) return EMPTY;
    const fields = Object.entries(found).filter(([field, value]) => field in EMPTY && typeof value === 'string');
    const draft: Draft = { ...EMPTY, ...(Object.fromEntries(fields) as Partial<Draft>) };
    return { ...draft, access: draft.access === 'browse' ? 'browse' : 'admin' };
  } catch {
    return EMPTY;
  }
}

/** Empty fields are left out: the server then has its own ways. */
export function inputOf(draft: Draft, secrets: Secrets): Input<'connections.create'> {
  const text = (field: 'proxy_url' | 'ca_certificate' | 'client_certificate') =>
    draft[field].trim() === '' ? {} : { [field]: draft[field].trim() };
  const projects = draft.projects
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return {
    ...(draft.name.trim() !== '' && { name: draft.name.trim() }),
    settings: {
      base_url: draft.base_url.trim(),
      ...text('proxy_url'),
      ...text('ca_certificate'),
      ...text('client_certificate'),
      ...(draft.access === 'browse' && { access: draft.access, ...(projects.length > 0 && { projects }) }),
    },
    secrets: {
      api_token: secrets.api_token.trim(),
      ...(draft.client_certificate.trim() !== '' &&
        secrets.client_key.trim() !== '' && { client_key: secrets.client_key }),
    },
  };
}

/** What is tried, in this order; the answer then says what came of each. */
export const stepsOf = ({ access, projects }: Pick<Draft, 'access' | 'projects'>): readonly string[] => [
  'reach',
  'version',
  'token',
  ...(access === 'admin' ? ['projects/search'] : projects.trim() === '' ? ['components/search'] : []),
  'metrics/search',
  'issues/search',
  'hotspots/search',
  'measures/component',
  'measures/search_history',
];
