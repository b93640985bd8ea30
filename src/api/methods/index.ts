/** Every method there is. A new family is a file here and a line below; its names stand in `routes.ts`. */
import { connections } from './connections.ts';
import { tokens } from './tokens.ts';

export const METHODS = [...connections, ...tokens] as const;
