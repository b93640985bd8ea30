import { z } from 'zod';
import { list, PROJECT_SORTS } from '../../app/projects.ts';
import { method } from '../method.ts';
import { id, project, projectState } from '../shapes.ts';

export const projects = [
  method({
    name: 'projects.list',
    scope: 'read',
    summary: 'The projects of a connection, with what the server counts and what is here of each of their streams.',
    input: z.strictObject({
      connection_id: id,
      /** A part of the name or of the key, in any case. */
      search: z.string().trim().max(500).optional(),
      /** With at least one stream in that state; `complete`: all of them; `unread`: listed, and nothing read yet. */
      state: projectState.optional(),
      sort: z.enum(PROJECT_SORTS).default('name'),
      order: z.enum(['asc', 'desc']).default('asc'),
      /** `next_cursor` of the page before, with the same sort and order. */
      cursor: z.string().max(4000).optional(),
      limit: z.int().min(1).max(500).default(100),
    }),
    output: z.object({
      projects: z.array(project),
      next_cursor: z.string().nullable(),
      /** How many projects all pages have; null on pages after the first. */
      total: z.int().nullable(),
    }),
    errors: ['connection_not_found'],
    run: async ({ service }, { connection_id, search, state, cursor, ...rest }) => {
      const page = await list(service, {
        ...rest,
        connectionId: connection_id,
        search: search === undefined || search === '' ? null : search,
        state: state ?? null,
        cursor: cursor ?? null,
      });
      return { projects: page.projects, next_cursor: page.next, total: page.total };
    },
  }),
] as const;
