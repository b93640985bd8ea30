import { z } from 'zod';
import { create, link, list, remove, ROLES, update } from '../../app/users.ts';
import { method } from '../method.ts';
import { id, signInLink, user } from '../shapes.ts';
import { newPassword, userName } from './session.ts';

const role = z.enum(ROLES);

export const users = [
  method({
    name: 'users.list',
    scope: 'admin',
    summary: 'Everybody who may sign in.',
    input: z.strictObject({}),
    output: z.object({ users: z.array(user) }),
    run: async ({ service }) => ({ users: await list(service) }),
  }),
  method({
    name: 'users.create',
    scope: 'admin',
    summary: 'Adds a user, with a password or with a link by which they choose one.',
    input: z.strictObject({ name: userName, role: role.default('viewer'), password: newPassword.optional() }),
    output: z.object({ user, link: signInLink.nullable() }),
    status: 201,
    errors: ['conflict'],
    run: async ({ service, caller }, input) => create(service, caller, input),
  }),
  method({
    name: 'users.update',
    scope: 'admin',
    summary: 'Changes a user’s name or role, from their next request on. The last admin stays one.',
    input: z.strictObject({ id, name: userName.optional(), role: role.optional() }),
    output: z.object({ user }),
    errors: ['user_not_found', 'conflict'],
    run: async ({ service, caller }, input) => ({ user: await update(service, caller, input) }),
  }),
  method({
    name: 'users.delete',
    scope: 'admin',
    summary: 'Removes a user; their sessions end now. The last admin stays.',
    input: z.strictObject({ id }),
    output: z.object({}),
    errors: ['user_not_found', 'conflict'],
    run: async ({ service, caller }, input) => {
      await remove(service, caller, input.id);
      return {};
    },
  }),
  method({
    name: 'users.link',
    scope: 'admin',
    summary: 'A one-time link that sets a user’s password; without a name, the first user’s.',
    input: z.strictObject({ name: z.string().trim().min(1).max(200).optional() }),
    output: z.object({ link: signInLink }),
    status: 201,
    errors: ['user_not_found'],
    run: async ({ service, caller }, { name }) => ({ link: await link(service, caller, name ?? null) }),
  }),
] as const;
