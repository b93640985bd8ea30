/** Which of a connection's credentials a part of a run is read with, and what becomes of those that the server refuses. */
import { audit } from '../control/audit.ts';
import { disableConnection, type Connection } from '../control/connections.ts';
import { listCredentials, noteRefused, type Credential } from '../control/credentials.ts';
import type { SliceKind } from '../control/slices.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Endpoint } from '../source/endpoints.ts';
import { settingsOf } from './reach.ts';
import type { Service } from './service.ts';
import { isExpired, isUsable } from './verify.ts';

/** A server that restarts refuses good tokens for up to half a minute: only a second refusal so much later is believed. */
const SURE_AFTER_MS = 60_000;

const OF_PROJECTS: readonly Endpoint[] = [
  'issues/search',
  'hotspots/search',
  'measures/component',
  'measures/search_history',
];

/** One worker's choice for one run. */
export class ReadingCredentials {
  readonly #service: Service;
  readonly #connection: Connection;
  /** Refused in this turn. */
  readonly #refused = new Set<number>();
  /** Found to lack a permission in this turn, by the kind of slice. */
  readonly #denied = new Set<string>();

  constructor(service: Service, connection: Connection) {
    this.#service = service;
    this.#connection = connection;
  }

  /**
   * The credential for a slice, by turns among those that may read it, and how many there are; throws
   * `invalid_credentials` or `invalid_permissions` when there is none.
   */
  async pick({
    kind,
    number,
  }: {
    kind: SliceKind;
    number: number;
  }): Promise<{ credential: Credential; among: number }> {
    const all = await listCredentials(this.#service.store.database, this.#connection.id);
    const usable = all.filter((one) => isUsable(one, this.#service.now()) && !this.#refused.has(one.id));
    const needed = this.#needs(kind);
    const able = usable.filter(
      (one) => !this.#denied.has(`${kind} ${one.id}`) && needed.every((endpoint) => one.access[endpoint] !== 'denied'),
    );
    const credential = able[number % able.length];
    if (credential) return { credential, among: able.length };
    throw usable.length > 0 ? noneAble(needed) : this.#noneUsable(all);
  }

  /** Another credential may do what this one may not. True when there is another. */
  async avoid(credential: Credential, slice: { kind: SliceKind; number: number }): Promise<boolean> {
    this.#denied.add(`${slice.kind} ${credential.id}`);
    return this.#another(slice);
  }

  /**
   * The server refused the token. Set aside for this turn; refused again a minute later it is disabled, and with the last
   * one the connection. True when there is another to go on with.
   */
  async refuse(credential: Credential, slice: { kind: SliceKind; number: number }): Promise<boolean> {
    const { database } = this.#service.store;
    this.#refused.add(credential.id);
    const since = credential.refused_at === null ? null : Date.parse(credential.refused_at);
    const sure = since !== null && this.#service.now().getTime() - since >= SURE_AFTER_MS;
    await noteRefused(database, credential.id, sure);
    const ids = { connectionId: this.#connection.id, credentialId: credential.id };
    if (sure)
      await audit(database, PROGRAM, { action: 'credentials.disable', ...ids, detail: { reason: 'refused (401)' } });
    const another = await this.#another(slice);
    if (sure && !another) {
      const reason = 'The server refuses every token of this connection (401); update a credential with a new one.';
      await disableConnection(database, this.#connection.id, 'soundings', reason);
      await audit(database, PROGRAM, { action: 'connections.disable', ...ids, detail: { reason } });
    }
    return another;
  }

  async #another(slice: { kind: SliceKind; number: number }): Promise<boolean> {
    return this.pick(slice).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ConnectorError && error.code.startsWith('invalid_')) return false;
        throw error;
      },
    );
  }

  #needs(kind: SliceKind): readonly Endpoint[] {
    if (kind === 'read') return OF_PROJECTS;
    const { access, projects } = settingsOf(this.#connection);
    const listing: readonly Endpoint[] =
      access !== 'browse' ? ['projects/search'] : projects ? ['measures/component'] : ['components/search'];
    return [...listing, 'metrics/search', ...(kind === 'finish' ? OF_PROJECTS : (['issues/search'] as const))];
  }

  #noneUsable(all: readonly Credential[]): ConnectorError {
    const open = all.filter((one) => one.disabled_at === null);
    const sentence =
      all.length === 0
        ? 'The connection has no credential; add one.'
        : open.length === 0
          ? 'Every credential of the connection is disabled; update one with a new token.'
          : open.every((one) => isExpired(one, this.#service.now()))
            ? 'Every token of the connection has ended; update a credential with a new one.'
            : 'The server refuses every token of the connection (401): they are wrong, expired or revoked; make one of type User under My Account > Security and update a credential with it.';
    return new ConnectorError('invalid_credentials', sentence);
  }
}

const PROGRAM = { name: 'soundings', address: null };

const noneAble = (needed: readonly Endpoint[]): ConnectorError =>
  new ConnectorError(
    'invalid_permissions',
    `No token of the connection may read ${needed.map((endpoint) => `api/${endpoint}`).join(', ')}; add a credential of type User whose owner has “Administer System” and “Browse”.`,
  );
