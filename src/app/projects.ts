/** The use case "which projects are there, and how complete and how fresh is each of them?". */
import { z } from 'zod';
import { ConnectorError } from '../protocol/errors.ts';
import { STREAMS } from '../source/sonarqube.ts';
import {
  countProjects,
  isPlaceOf,
  listProjects,
  PROJECT_SORTS,
  type Place,
  type ProjectRow,
  type ProjectSort,
  type ProjectState,
} from '../warehouse/projects.ts';
import { info } from './connections.ts';
import type { Service } from './service.ts';

export { PROJECT_SORTS, type ProjectRow };

export interface ProjectsWanted {
  readonly connectionId: number;
  readonly search: string | null;
  readonly state: ProjectState | null;
  readonly sort: ProjectSort;
  readonly order: 'asc' | 'desc';
  readonly cursor: string | null;
  readonly limit: number;
}

export interface ProjectsPage {
  readonly projects: readonly ProjectRow[];
  /** Where the next page begins; null on the last one. */
  readonly next: string | null;
  /** How many projects all pages have; counted for the first page alone. */
  readonly total: number | null;
}

const OF_PROJECTS = STREAMS.filter(({ columns }) => 'project_id' in columns).map(({ name }) => name);

/** A page of a connection's projects. A cursor belongs to the list it came from: another sort refuses it. */
export async function list(service: Service, wanted: ProjectsWanted): Promise<ProjectsPage> {
  const { database } = service.store;
  const { connectionId, search, state, sort, limit } = wanted;
  await info(service, connectionId);
  const after = wanted.cursor === null ? null : placeOf(wanted.cursor, wanted);
  const desc = wanted.order === 'desc';
  const query = { connectionId, search, state, sort, desc, after, limit, streams: OF_PROJECTS };
  const [page, total] = await Promise.all([
    listProjects(database, query),
    after === null ? countProjects(database, query) : null,
  ]);
  return { projects: page.projects, next: page.next && cursorOf(page.next, wanted), total };
}

type Sorted = Pick<ProjectsWanted, 'sort' | 'order'>;

const cursorOf = ({ value, id }: Place, { sort, order }: Sorted): string =>
  Buffer.from(JSON.stringify([sort, order, value, id])).toString('base64url');

const cursor = z.tuple([
  z.enum(PROJECT_SORTS),
  z.enum(['asc', 'desc']),
  z.union([z.string().refine((text) => text.isWellFormed() && !text.includes('\0')), z.int()]),
  z.int(),
]);

function placeOf(text: string, wanted: Sorted): Place {
  const [sort, order, value, id] = readCursor(text);
  const place = { value, id };
  if (sort === wanted.sort && order === wanted.order && isPlaceOf(sort, place)) return place;
  throw wrongCursor(`is of a list sorted by ${sort}, ${order}`);
}

function readCursor(text: string): z.output<typeof cursor> {
  try {
    return cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    throw wrongCursor('is not one that projects.list gave');
  }
}

const wrongCursor = (problem: string): ConnectorError =>
  new ConnectorError('invalid_arguments', `cursor ${problem}; leave it out to begin with the first page.`, {
    details: { cursor: problem },
  });
