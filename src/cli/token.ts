/** A SonarQube token for a command: from a file, the environment or a person, never from an argument unless insisted on. */
import { readFile } from 'node:fs/promises';
import { ConnectorError } from '../protocol/errors.ts';
import { environment, say } from './context.ts';

export interface TokenFlags {
  readonly token?: string;
  readonly tokenFile?: string;
}

/** The token from the first place that has one; never from standard input without a person at it. */
export async function readToken(flags: TokenFlags): Promise<string> {
  const token = (await findToken(flags)).trim();
  if (token === '') throw new ConnectorError('invalid_arguments', `The token is empty; ${MAKE_TOKEN}`);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConnectorError(
      'invalid_arguments',
      'The token holds characters that no token has (blanks, line ends, non-ASCII); copy it again.',
    );
  }
  return token;
}

const MAKE_TOKEN =
  'make one of type User in SonarQube under My Account > Security and give it by SOUNDINGS_TOKEN or --token-file.';

async function findToken(flags: TokenFlags): Promise<string> {
  if (flags.token !== undefined) {
    say(
      'Warning: a token in an argument can be read by other users of this machine; prefer SOUNDINGS_TOKEN or --token-file.',
    );
    return flags.token;
  }
  if (flags.tokenFile !== undefined) return readText(flags.tokenFile, '--token-file');
  if (environment.SOUNDINGS_TOKEN !== undefined) return environment.SOUNDINGS_TOKEN;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new ConnectorError('invalid_arguments', `There is no token; ${MAKE_TOKEN}`);
  }
  const { password, isCancel } = await import('@clack/prompts');
  const typed = await password({
    message: 'SonarQube token (type User, from My Account > Security)',
    output: process.stderr,
  });
  if (isCancel(typed)) throw new ConnectorError('cancelled', 'No token was entered.');
  return typed;
}

export async function readText(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConnectorError(
      'invalid_arguments',
      `The file ${file} given by ${flag} cannot be read (${String((cause as NodeJS.ErrnoException).code)}); check its name and permissions.`,
      { cause },
    );
  }
}
