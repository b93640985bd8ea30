/** `soundings doctor`: what it looks at, what it says to do, and with which code it ends. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generate, type Simulator } from '../simulator/index.ts';
import { bench, run, type Bench, type Ran } from './program.ts';

interface Finding {
  readonly subject: string;
  readonly state: string;
  readonly message: string;
  readonly code?: string;
}

let b: Bench;
let sim: Simulator;

beforeAll(async () => {
  b = await bench();
  sim = await b.simulator({ version: '26.9', data: generate({ projects: 2, issuesPerProject: 3, analyses: 1 }) });
});
afterAll(() => b.close());

const doctor = async (): Promise<{ ran: Ran; of: (subject: RegExp) => Finding[] }> => {
  const ran = await run(['doctor', '--json', '--data-dir', b.dataDir]);
  const { findings } = JSON.parse(ran.stdout) as { findings: Finding[] };
  return { ran, of: (subject) => findings.filter((finding) => subject.test(finding.subject)) };
};

it('an empty installation: everything is looked at, and it says how to begin', async () => {
  const { ran, of } = await doctor();
  expect(ran.code).toBe(0);
  for (const subject of [/^configuration$/, /^keys$/, /^disk$/, /^workers$/]) {
    expect(of(subject).map(({ state }) => state)).toEqual(['ok']);
  }
  expect(of(/^database$/)[0]?.message).toMatch(/^PostgreSQL \d+/);
  expect(of(/^connections$/)[0]?.message).toContain('soundings connections create');
});

it('a connection that works, one whose token ends soon, one whose token is refused', async () => {
  const made = await run(['connections', 'create', '--url', sim.url, '--data-dir', b.dataDir], {
    token: sim.tokens.admin,
  });
  expect(made.code, made.stderr).toBe(0);
  const good = await doctor();
  expect(good.ran.code).toBe(0);
  expect(good.of(/^connection \d/).map(({ state }) => state)).toEqual(['ok']);

  await b.database.query(`update soundings.credentials set expiration_date = (now() + interval '3 days')::date`);
  const soon = await doctor();
  expect(soon.ran.code).toBe(0);
  expect(soon.of(/^connection \d/).map(({ state }) => state)).toEqual(['warning', 'ok']);

  sim.revoke('admin');
  const refused = await doctor();
  expect(refused.ran.code).toBe(4);
  expect(refused.of(/^connection \d/).find(({ state }) => state === 'failed')).toMatchObject({
    code: 'invalid_credentials',
  });
  sim.restore('admin');

  const text = await run(['doctor', '--data-dir', b.dataDir]);
  expect(text.code).toBe(0);
  expect(text.stdout).toMatch(/^ok {7}configuration: /m);
  expect(text.stdout).not.toContain(sim.tokens.admin);
});

it('another key than the one that sealed the tokens: named, with the way out', async () => {
  const ran = await run(['doctor', '--json', '--data-dir', b.dataDir], {
    env: { SOUNDINGS_KEY: Buffer.alloc(32, 7).toString('base64') },
  });
  expect(ran.code).toBe(2);
  const { findings } = JSON.parse(ran.stdout) as { findings: Finding[] };
  expect(findings.at(-1)).toMatchObject({ subject: 'keys', state: 'failed', code: 'vault_locked' });
});
