/**
 * Every method of the HTTP API, with its verb and path: one list for the server, the typed client, the web and the docs.
 * GET reads, POST changes. `:name` stands for an argument that is part of the path.
 */
export const ROUTES = {
  'connections.list': 'GET /api/connections.list',
  'connections.info': 'GET /api/connections.info/:id',
  'connections.overview': 'GET /api/connections.overview',
  'connections.create': 'POST /api/connections.create',
  'connections.create_sample': 'POST /api/connections.create_sample',
  'connections.update': 'POST /api/connections.update',
  'connections.disable': 'POST /api/connections.disable',
  'connections.enable': 'POST /api/connections.enable',
  'connections.delete': 'POST /api/connections.delete',
  'connections.verify': 'POST /api/connections.verify',

  'credentials.list': 'GET /api/connections/:connection_id/credentials.list',
  'credentials.info': 'GET /api/connections/:connection_id/credentials.info/:id',
  'credentials.create': 'POST /api/connections/:connection_id/credentials.create',
  'credentials.update': 'POST /api/connections/:connection_id/credentials.update',
  'credentials.delete': 'POST /api/connections/:connection_id/credentials.delete',

  'projects.list': 'GET /api/projects.list',

  'syncs.start': 'POST /api/syncs.start',
  'syncs.cancel': 'POST /api/syncs.cancel',
  'runs.list': 'GET /api/runs.list',
  'runs.info': 'GET /api/runs.info/:id',
  'runs.events': 'GET /api/runs.events/:id',

  'schema.list': 'GET /api/schema.list',
  'schema.info': 'GET /api/schema.info/:table',
  'insights.list': 'GET /api/insights.list',
  'insights.run': 'GET /api/insights.run/:id',
  'query.run': 'POST /api/query.run',
  'query.export': 'POST /api/query.export',
  'queries.list': 'GET /api/queries.list',
  'queries.history': 'GET /api/queries.history',
  'queries.save': 'POST /api/queries.save',
  'queries.delete': 'POST /api/queries.delete',

  'tokens.list': 'GET /api/tokens.list',
  'tokens.create': 'POST /api/tokens.create',
  'tokens.revoke': 'POST /api/tokens.revoke',
  'keys.list': 'GET /api/keys.list',
  'keys.rotate': 'POST /api/keys.rotate',
  'audit.list': 'GET /api/audit.list',

  'session.info': 'GET /api/session.info',
  'session.create': 'POST /api/session.create',
  'session.delete': 'POST /api/session.delete',
  'session.change_password': 'POST /api/session.change_password',
  'users.list': 'GET /api/users.list',
  'users.create': 'POST /api/users.create',
  'users.update': 'POST /api/users.update',
  'users.delete': 'POST /api/users.delete',
  'users.link': 'POST /api/users.link',
} as const satisfies Readonly<Record<string, `${'GET' | 'POST'} /api/${string}`>>;

export type MethodName = keyof typeof ROUTES;

/** Verb and path of a method, and the names of the arguments in its path. */
export function routeOf(name: MethodName): { verb: 'GET' | 'POST'; path: string; inPath: readonly string[] } {
  const [verb = 'GET', path = ''] = ROUTES[name].split(' ');
  return { verb: verb as 'GET' | 'POST', path, inPath: [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '') };
}
