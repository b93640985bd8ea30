/** Verification as the use cases need it: with a connection's settings, beside its other credentials. */
import type { Credential } from '../control/credentials.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { check, type Verification } from '../source/check.ts';
import { ENDPOINTS } from '../source/endpoints.ts';
import { onTheWay } from './reach.ts';
import type { Service } from './service.ts';
import type { Secrets, StoredSettings } from './settings.ts';

export type { Verification };

export interface ToVerify {
  readonly settings: StoredSettings;
  readonly secrets: Secrets & { readonly api_token: string };
  /** The connection's other credentials. */
  readonly others: readonly Credential[];
}

/** Asks the server, and says what it found; throws only for what cannot be asked at all. */
export async function verify(
  service: Service,
  { settings, secrets, others }: ToVerify,
  signal: AbortSignal,
): Promise<Verification> {
  if (settings.sample) return OF_SAMPLE;
  service.network.egress.check(settings.base_url);
  const beside = others.some((other) => isUsable(other, service.now()) && readsAll(other));
  return onTheWay(service, settings, secrets, (way) =>
    check({
      ...way,
      token: secrets.api_token,
      access: settings.access ?? 'admin',
      beside,
      signal,
      ...(settings.projects && { projects: settings.projects }),
    }),
  );
}

/** The sample is a recording in this package: there is nobody to ask, and nothing that could be denied. */
const OF_SAMPLE: Verification = {
  outcome: 'verified',
  message: 'This is the bundled sample, recorded from a real SonarQube Server 26.9.',
  steps: [{ step: 'reach', state: 'skipped', message: 'The sample is part of this program.' }],
  server_version: '26.9',
  token_type: 'user',
  access: Object.fromEntries(Object.keys(ENDPOINTS).map((endpoint) => [endpoint, 'ok' as const])),
  expiration_date: null,
  warnings: [],
  curl: '',
};

/** The same, with what is not `verified` thrown as its error. */
export async function mustVerify(service: Service, what: ToVerify, signal: AbortSignal): Promise<Verification> {
  const verification = await verify(service, what, signal);
  if (verification.outcome === 'verified') return verification;
  throw new ConnectorError(verification.outcome, verification.message, { details: { verification } });
}

/** `YYYY-MM-DD` of a moment, UTC. */
export const dayOf = (moment: Date): string => moment.toISOString().slice(0, 10);

/** Is the day on which it ends here? From that day on it is not used. */
export function isExpired({ expiration_date }: Pick<Credential, 'expiration_date'>, now: Date): boolean {
  return expiration_date !== null && expiration_date <= dayOf(now);
}

/** May requests be made with it? */
export function isUsable(credential: Credential, now: Date): boolean {
  return credential.disabled_at === null && !isExpired(credential, now);
}

/** May it read all that it was probed for? */
export const readsAll = ({ access }: Credential): boolean => !Object.values(access).includes('denied');

const WARN_DAYS = 14;
const DAY_MS = 86_400_000;

/** What people must know of a credential before it stops working, and what was found when it was verified. */
export function warningsOf(credential: Credential, now: Date): string[] {
  const { expiration_date: date, label, warnings } = credential;
  if (date === null) return [...warnings];
  if (isExpired(credential, now)) {
    return [
      `The token of “${label}” ended on ${date} and is not used any more; update the credential with a new one.`,
      ...warnings,
    ];
  }
  const days = Math.ceil((Date.parse(date) - now.getTime()) / DAY_MS);
  if (days > WARN_DAYS) return [...warnings];
  const when = days === 1 ? 'tomorrow' : `in ${days} days`;
  return [
    `The token of “${label}” ends ${when}, on ${date}; make a new one before, and update the credential with it.`,
    ...warnings,
  ];
}
