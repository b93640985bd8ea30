/** Use cases on saved queries: everybody who may query sees them all; who made one, or an administrator, changes it. */
import {
  createSavedQuery,
  deleteSavedQuery,
  findSavedQuery,
  listSavedQueries,
  updateSavedQuery,
  type SavedQuery,
} from '../control/queries.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Service } from './service.ts';

export type { SavedQuery };
export { EXAMPLES, type ExampleQuery } from './example-queries.ts';

export interface Owner {
  readonly name: string;
  readonly isAdmin: boolean;
}

export async function list({ store }: Service): Promise<SavedQuery[]> {
  return listSavedQueries(store.database);
}

/** Makes one, or changes the one of this id. */
export async function save(
  { store }: Service,
  owner: Owner,
  { id, name, sql }: { id?: number | undefined; name: string; sql: string },
): Promise<SavedQuery> {
  if (id !== undefined) await mine({ store }, owner, id);
  const saved =
    id === undefined
      ? await createSavedQuery(store.database, { name, sql, by: owner.name })
      : await updateSavedQuery(store.database, { id, name, sql });
  if (saved) return saved;
  if (id !== undefined && !(await findSavedQuery(store.database, id))) throw notFound(id);
  throw new ConnectorError('conflict', `Another saved query is named "${name}"; choose another name.`, {
    details: { name: 'is taken' },
  });
}

export async function remove({ store }: Service, owner: Owner, id: number): Promise<void> {
  await mine({ store }, owner, id);
  await deleteSavedQuery(store.database, id);
}

async function mine({ store }: Pick<Service, 'store'>, owner: Owner, id: number): Promise<void> {
  const found = await findSavedQuery(store.database, id);
  if (!found) throw notFound(id);
  if (owner.isAdmin || found.created_by === owner.name) return;
  throw new ConnectorError(
    'missing_scope',
    `The query "${found.name}" was saved by ${found.created_by}: save a copy under another name, or ask an administrator.`,
  );
}

const notFound = (id: number): ConnectorError =>
  new ConnectorError('query_not_found', `There is no saved query ${id}; queries.list shows which there are.`);
