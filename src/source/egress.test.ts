import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { Egress } from './egress.ts';

const ask = (egress: Egress, url: string): string => {
  try {
    egress.check(url);
    return 'asked';
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_arguments' });
    return 'refused';
  }
};

describe('addresses that are never asked', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://169.254.1.1',
    'http://0xa9fea9fe',
    'http://2852039166',
    'http://0.0.0.0:9000',
    'http://0',
    'http://100.100.100.200',
    'http://168.63.129.16',
    'http://192.0.0.192',
    'http://224.0.0.1',
    'http://255.255.255.255',
    'http://[::]',
    'http://[fe80::1]',
    'http://[fd00:ec2::254]',
    'http://[::ffff:169.254.169.254]',
    'http://[::ffff:a9fe:a9fe]',
    'http://[::169.254.169.254]',
    'http://[64:ff9b::a9fe:a9fe]',
    'http://[2002:a9fe:a9fe::1]',
    'http://metadata.google.internal',
    'http://metadata.google.internal.',
    'http://METADATA.goog',
  ])('%s', (url) => {
    expect(ask(Egress.any, url)).toBe('refused');
    expect(ask(Egress.parse('public'), url)).toBe('refused');
    // not even when somebody lists the network around it
    expect(ask(Egress.parse('0.0.0.0/0, ::/0'), url)).toBe('refused');
  });
});

describe('private addresses', () => {
  test.each([
    'http://127.0.0.1:9000',
    'http://127.1',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://172.31.255.255',
    'http://192.168.1.1',
    'http://100.64.0.1',
    'http://[::1]',
    'http://[fd12:3456::1]',
    'http://[::ffff:10.0.0.1]',
  ])('%s is for those who run their own, and refused with "public"', (url) => {
    expect(ask(Egress.parse(''), url)).toBe('asked');
    expect(ask(Egress.parse('public'), url)).toBe('refused');
    expect(
      ask(Egress.parse('public, 10.0.0.0/8 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 ::1 fd00::/8'), url),
    ).toBe('asked');
  });

  test.each(['http://8.8.8.8', 'http://172.32.0.1', 'http://[2606:4700::1111]'])('%s is public', (url) => {
    expect(ask(Egress.parse('public'), url)).toBe('asked');
    expect(ask(Egress.parse('10.0.0.0/8'), url)).toBe('refused');
  });
});

test('names are allowed by themselves or by what they end in, and only those', () => {
  const egress = Egress.parse('sonar.example.com, *.corp.example');
  const problem = (host: string): string | null => egress.problem(host, '10.0.0.1');
  expect(problem('sonar.example.com')).toBeNull();
  expect(problem('Sonar.Example.com.')).toBeNull();
  expect(problem('a.b.corp.example')).toBeNull();
  expect(problem('corp.example')).toMatch(/private/);
  expect(problem('evilcorp.example')).toMatch(/private/);
  expect(problem('sonar.example.com.evil.test')).toMatch(/private/);
  expect(egress.problem('elsewhere.test', '8.8.8.8')).toMatch(/not on the list/);
  expect(egress.problem('sonar.example.com', '169.254.169.254')).toMatch(/never asked/);
});

test.each(['10.0.0.0/33', '10.0.0', 'http://x', 'a b/c', '*'])('what cannot be read is refused: %s', (text) => {
  expect(() => Egress.parse(text)).toThrow(expect.objectContaining({ code: 'invalid_arguments' }));
});

test('a name is judged by the address that the socket gets', async () => {
  const found = (egress: Egress, all: boolean) =>
    new Promise<{ error: Error | null; address: string | LookupAddress[] }>((resolve) =>
      egress.lookup('localhost', { all }, (error, address) => resolve({ error, address })),
    );
  expect((await found(Egress.parse('public'), true)).error).toMatchObject({
    code: 'invalid_arguments',
    message: /localhost leads to a private address/,
  });
  const list = await found(Egress.any, true);
  expect(list.error).toBeNull();
  expect(list.address).toContainEqual(
    expect.objectContaining({ address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/) as string }),
  );
  expect((await found(Egress.any, false)).address).toMatch(/^(127\.0\.0\.1|::1)$/);
});
