/** Passwords, kept as argon2id hashes. */

export const PASSWORD_LEAST = 10;
export const PASSWORD_MOST = 256;

// loaded when somebody signs in: most commands never need it
const argon2 = (): Promise<typeof import('@node-rs/argon2')> => import('@node-rs/argon2');

/** One text for what people type on different keyboards. */
const normal = (password: string): string => password.normalize('NFKC');

/** 19 MiB and two passes, the library's default and what OWASP names as enough. */
export async function hashPassword(password: string): Promise<string> {
  return (await argon2()).hash(normal(password));
}

let nobody: Promise<string> | undefined;

/** Does the password belong to the hash? Without a hash it takes as long, so that time does not tell which names exist. */
export async function isPassword(password: string, hash: string | null): Promise<boolean> {
  nobody ??= hashPassword('nobody has this one');
  const right = await (await argon2()).verify(hash ?? (await nobody), normal(password));
  return hash !== null && right;
}
