/** How the server of a connection is asked: what its settings and its secrets mean for the client. */
import type { Connection } from '../control/connections.ts';
import type { Credential } from '../control/credentials.ts';
import { SAMPLE_TOKEN, startSampleServer } from '../sample/server.ts';
import type { ClientOptions } from '../source/client.ts';
import { Egress } from '../source/egress.ts';
import type { Service } from './service.ts';
import type { Secrets, StoredSettings } from './settings.ts';
import { VERSION } from './version.ts';

export const settingsOf = ({ settings }: Pick<Connection, 'settings'>): StoredSettings => settings;

/** The sample's place in the list of connections; its real address has another port every time. */
export const SAMPLE_URL = 'http://sample.invalid';

/** Everything a client needs to know but the token and when to stop. */
export type Way = Omit<ClientOptions, 'token' | 'signal'>;

/** The way to a server; for the bundled sample it is started for as long as `use` takes. */
export async function onTheWay<T>(
  { network, observer }: Service,
  settings: StoredSettings,
  secrets: Pick<Secrets, 'client_key'>,
  use: (way: Way) => Promise<T>,
): Promise<T> {
  if (settings.sample) {
    const server = await startSampleServer();
    try {
      return await use({ baseUrl: server.url, version: VERSION, egress: Egress.any, listedEndpointsOnly: true });
    } finally {
      await server.close();
    }
  }
  const { proxy_url: proxy, ca_certificate: ca, client_certificate: certificate, max_concurrency: most } = settings;
  const { client_key: key } = secrets;
  return use({
    baseUrl: settings.base_url,
    version: VERSION,
    egress: network.egress,
    browse: settings.access === 'browse',
    ...(observer && {
      onAnswer: (endpoint: string, status: number, ms: number) => observer.asked(endpoint, status, ms),
    }),
    proxy: proxy === undefined ? network.proxy : { http: proxy, https: proxy },
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && key !== undefined && { clientCertificate: { certificate, key } }),
    ...(most !== undefined && { maxConcurrency: most }),
    ...(settings.listed_endpoints_only !== undefined && { listedEndpointsOnly: settings.listed_endpoints_only }),
  });
}

/** A secret of a credential in clear, or undefined when it has none; `vault_locked` when it cannot be opened. */
export function openSecret({ vault }: Service, credential: Credential, field: keyof Secrets): string | undefined {
  const sealed = credential.secrets[field];
  if (sealed === undefined) return undefined;
  return vault.open(sealed, { connection: credential.connection_id, credential: credential.id, field });
}

/** The key of the client certificate: the credential's own, else that of the first other one that has it. */
export function clientKey(service: Service, credentials: readonly Credential[]): string | undefined {
  const [holder] = credentials.filter(({ secrets }) => secrets['client_key'] !== undefined);
  return holder && openSecret(service, holder, 'client_key');
}

export { SAMPLE_TOKEN };
