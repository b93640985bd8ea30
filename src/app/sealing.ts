/** What every use case that stores a credential shares: what is required of it, and how it is sealed for its row. */
import { insertCredential, nextCredentialId, updateCredential, type Credential } from '../control/credentials.ts';
import type { Client } from '../db/database.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Service } from './service.ts';
import type { Secrets } from './settings.ts';
import { dayOf, type Verification } from './verify.ts';

/** A credential that was verified, sealed for its own row. */
export async function store(
  { vault }: Service,
  client: Client,
  connectionId: number,
  made: {
    readonly label: string;
    readonly secrets: Secrets;
    readonly expiration_date: string | null;
    readonly found: Pick<Verification, 'access' | 'token_type' | 'server_version' | 'warnings'>;
  },
): Promise<Credential> {
  const id = await nextCredentialId(client);
  const { access, token_type, server_version, warnings } = made.found;
  return insertCredential(client, {
    id,
    connection_id: connectionId,
    label: made.label,
    settings: {},
    secrets: sealed(vault, made.secrets, connectionId, id),
    expiration_date: made.expiration_date,
    access,
    token_type,
    server_version,
    warnings,
  });
}

/** What an existing credential was found to be, after its settings or its secrets changed; in use again. */
export async function reverified(
  client: Client,
  credential: Credential,
  { access, token_type, server_version, warnings, expiration_date }: Verification,
  fresh: Readonly<Record<string, string>> = {},
): Promise<void> {
  const saved = await updateCredential(client, credential, {
    label: credential.label,
    settings: credential.settings,
    secrets: { ...credential.secrets, ...fresh },
    expiration_date: expiration_date ?? (Object.keys(fresh).length > 0 ? null : credential.expiration_date),
    access,
    token_type,
    server_version,
    warnings,
  });
  if (!saved) throw changedMeanwhile(`Credential ${credential.id}`);
}

export function sealed(
  vault: Service['vault'],
  secrets: Secrets,
  connection: number,
  credential: number,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secrets).map(([field, plain]) => [field, vault.seal(plain, { connection, credential, field })]),
  );
}

export function requireToken(secrets: Secrets): Secrets & { readonly api_token: string } {
  const { api_token } = secrets;
  if (api_token !== undefined) return { ...secrets, api_token };
  throw new ConnectorError(
    'invalid_arguments',
    'secrets.api_token is missing: make a token of type User in SonarQube under My Account > Security.',
    { details: { 'secrets.api_token': 'is missing' } },
  );
}

export function requireFuture(date: string | null | undefined, now: Date): void {
  if (date == null || date > dayOf(now)) return;
  throw new ConnectorError(
    'invalid_arguments',
    `expiration_date lies in the past: a token is not used from that day on.`,
    {
      details: { expiration_date: 'lies in the past' },
    },
  );
}

export function changedMeanwhile(what: string): ConnectorError {
  return new ConnectorError(
    'conflict',
    `${what} was changed or deleted by somebody else meanwhile; look at it and try again.`,
  );
}
