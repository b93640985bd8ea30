import { z } from 'zod';
import { PASSWORD_LEAST, PASSWORD_MOST } from '../../app/passwords.ts';
import { changePassword, sessionOf, signIn, signInByLink, signOut, userOf, type SignedIn } from '../../app/sign-in.ts';
import { hasUsers } from '../../app/users.ts';
import { ConnectorError } from '../../protocol/errors.ts';
import { method, SCOPES, type Browser, type Call } from '../method.ts';
import { moment, user } from '../shapes.ts';

/** What a user is called; nothing that looks like blanks at its ends, and no control characters. */
export const userName = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{C}+$/u, 'holds characters that cannot be seen');

/** A new one. */
export const newPassword = z.string().min(PASSWORD_LEAST).max(PASSWORD_MOST);

const begun = z.object({ user, expires_at: moment });

export const session = [
  method({
    name: 'session.info',
    scope: null,
    summary: 'Who is calling and what they may do, and how people sign in here.',
    input: z.strictObject({}),
    output: z.object({
      /** The signed-in user; null for an API token, and for nobody. */
      user: user.nullable(),
      /** What the call may do; empty for nobody. */
      scopes: z.array(z.enum(SCOPES)),
      expires_at: moment.nullable(),
      /** Is there anybody yet who can sign in? */
      has_users: z.boolean(),
      /** What the OIDC provider is called; null where there is none. */
      oidc: z.string().nullable(),
    }),
    run: async ({ service, caller, browser }) => {
      const [signedIn, current, someone] = await Promise.all([
        caller.userId === null ? null : userOf(service, caller.userId),
        caller.userId === null || browser?.token == null ? null : sessionOf(service, browser.token),
        hasUsers(service),
      ]);
      return {
        user: signedIn,
        scopes: [...caller.scopes],
        expires_at: current?.ends_at ?? null,
        has_users: someone,
        oidc: service.oidc?.name ?? null,
      };
    },
  }),
  method({
    name: 'session.create',
    scope: null,
    summary: 'Signs a browser in: by name and password, or by a one-time link and the password to be.',
    input: z.strictObject({
      /** Not with a link, unless it is the first user's. */
      name: z.string().trim().min(1).max(200).optional(),
      password: z.string().min(1).max(PASSWORD_MOST),
      /** What stands in a sign-in link. */
      link: z.string().min(1).max(200).optional(),
    }),
    output: begun,
    status: 201,
    errors: ['sign_in_failed', 'wrong_origin'],
    run: async (call, { name, password, link }) => {
      const browser = browserIn(call);
      const { address } = browser;
      if (link !== undefined) {
        const given = {
          link,
          name: name === undefined ? undefined : usable('name', userName, name),
          password: usable('password', newPassword, password),
        };
        return begin(call, browser, await signInByLink(call.service, { ...given, address }));
      }
      if (name === undefined) throw wrong('name', 'is needed');
      return begin(call, browser, await signIn(call.service, { name, password, address }));
    },
  }),
  method({
    name: 'session.delete',
    scope: null,
    summary: 'Signs a browser out.',
    input: z.strictObject({}),
    output: z.object({}),
    errors: ['wrong_origin'],
    run: async ({ service, browser }) => {
      if (browser?.token != null) await signOut(service, browser.token);
      browser?.forget();
      return {};
    },
  }),
  method({
    name: 'session.change_password',
    scope: 'read',
    summary: 'Changes one’s own password; every other session of the user ends.',
    input: z.strictObject({ password: z.string().min(1).max(PASSWORD_MOST), new_password: newPassword }),
    output: begun,
    errors: ['wrong_origin', 'user_not_found'],
    run: async (call, { password, new_password }) => {
      const { userId } = call.caller;
      if (userId === null) throw wrong('password', 'belongs to a user, and an API token is none');
      const browser = browserIn(call);
      const change = { userId, password, newPassword: new_password, address: browser.address };
      return begin(call, browser, await changePassword(call.service, change));
    },
  }),
] as const;

/** A session that the browser had before ends: nobody goes on in one that somebody else knows of. */
async function begin({ service }: Call, browser: Browser, { user: who, token, endsAt }: SignedIn) {
  if (browser.token !== null) await signOut(service, browser.token);
  browser.keep(token, new Date(endsAt));
  return { user: who, expires_at: endsAt };
}

function browserIn({ browser }: Call): Browser {
  if (browser) return browser;
  throw new ConnectorError('invalid_arguments', 'Sessions are for browsers; the command line needs none.');
}

function usable(field: string, schema: z.ZodString, value: string): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw wrong(field, parsed.error.issues.map(({ message }) => message).join('; '));
}

const wrong = (field: string, problem: string): ConnectorError =>
  new ConnectorError('invalid_arguments', `The arguments cannot be used: ${field}: ${problem}.`, {
    details: { [field]: problem },
  });
