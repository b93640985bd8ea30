import { describe, expect, it } from 'vitest';

import { ConnectorError } from '../protocol/errors.ts';
import { databaseError, folderError, isServerAway } from './errors.ts';

const withCode = (code: string, message = 'no room'): Error => Object.assign(new Error(message), { code });

describe('databaseError', () => {
  it.each([
    ['53100', 'database_unavailable', false, /says “no room”: free or add disk space/],
    ['ENOSPC', 'database_unavailable', false, /free or add disk space/],
    ['57P01', 'database_unavailable', true, /wait until it is back; what was stored stays/],
    ['57P03', 'database_unavailable', true, /wait until it is back/],
    ['08006', 'database_unavailable', true, /wait until it is back/],
    ['28P01', 'database_unavailable', false, /correct user and password/],
    ['3D000', 'invalid_arguments', false, /create database/],
    ['42501', 'invalid_arguments', false, /grant it to the user/],
    ['40P01', 'database_unavailable', true, /run it again/],
    ['53300', 'database_unavailable', true, /max_connections/],
    ['ECONNREFUSED', 'database_unavailable', true, /check host, port and firewall/],
    ['ENOTFOUND', 'invalid_arguments', false, /correct the host name/],
  ])('%s is %s, retry %s', (code, expected, retry, remedy) => {
    const error = databaseError(withCode(code));
    expect(error).toBeInstanceOf(ConnectorError);
    expect(error).toMatchObject({ code: expected, retry, message: expect.stringMatching(remedy) as string });
  });

  it('knows a connection that pg lost without a code', () => {
    expect(databaseError(new Error('Connection terminated unexpectedly'))).toMatchObject({ retry: true });
  });

  it('leaves what only the caller can explain', () => {
    const violated = withCode('23505');
    expect(databaseError(violated)).toBe(violated);
    expect(databaseError(undefined)).toBeUndefined();
  });

  it('sees a refused connection in each of several addresses', () => {
    const refused = new AggregateError([withCode('ECONNREFUSED', 'connect ECONNREFUSED ::1:5432')]);
    expect(databaseError(refused)).toMatchObject({ message: expect.stringMatching(/::1:5432/) as string, retry: true });
  });
});

it('a server that starts or stops is away, one that refuses a password is not', () => {
  for (const code of ['57P01', '57P03', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET']) {
    expect(isServerAway(withCode(code)), code).toBe(true);
    expect(isServerAway(databaseError(withCode(code))), code).toBe(true);
  }
  expect(isServerAway(withCode('28P01'))).toBe(false);
});

it.each([
  ['ENOSPC', /The disk of the data folder \/data is full/],
  ['EACCES', /cannot be read or written by this user/],
  ['EROFS', /read-only file system/],
  ['ENOTDIR', /is a file or lies below one/],
])('a data folder with %s has its sentence', (code, sentence) => {
  expect(folderError('/data', withCode(code))).toMatchObject({ message: expect.stringMatching(sentence) as string });
});
