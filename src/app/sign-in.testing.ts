import { findUserByName } from '../control/users.ts';
import { signIn } from './sign-in.ts';
import type { Service } from './service.ts';
import { create, type Role } from './users.ts';

export interface TestUser {
  readonly id: number;
  readonly name: string;
  readonly password: string;
  /** Of a session that has begun. */
  readonly token: string;
  /** For a `Cookie` header, over plain http. */
  readonly cookie: string;
}

/** A user of this role who is signed in; made unless there is one of this name. */
export async function testUser(service: Service, role: Role = 'admin', name: string = role): Promise<TestUser> {
  const password = `${name} has a long password`;
  const actor = { name: 'test', address: null };
  if (!(await findUserByName(service.store.database, name))) await create(service, actor, { name, role, password });
  const { user, token } = await signIn(service, { name, password, address: '127.0.0.1' });
  return { id: user.id, name, password, token, cookie: `soundings_session=${token}` };
}
