/** Every method there is. A new family is a file here and a line below; its names stand in `routes.ts`. */
import { audit } from './audit.ts';
import { connections } from './connections.ts';
import { credentials } from './credentials.ts';
import { insights } from './insights.ts';
import { keys } from './keys.ts';
import { queries } from './queries.ts';
import { schema } from './schema.ts';
import { projects } from './projects.ts';
import { runs } from './runs.ts';
import { session } from './session.ts';
import { tokens } from './tokens.ts';
import { users } from './users.ts';

export const METHODS = [
  ...connections,
  ...credentials,
  ...tokens,
  ...keys,
  ...audit,
  ...projects,
  ...runs,
  ...schema,
  ...insights,
  ...queries,
  ...session,
  ...users,
] as const;
