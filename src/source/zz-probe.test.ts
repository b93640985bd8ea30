import { test } from 'vitest';
import { enumerate } from '/work/main/src/source/enumerate.ts';
import { issues, SearchModel, NOW } from '/work/main/src/source/enumerate.testing.ts';
async function go(name: string, model: SearchModel, filter: any = { componentKeys: 'p' }, extra: any = {}) {
  const t = Date.now();
  let emitted = 0;
  const r = await enumerate(filter, { fetch: (q) => model.fetch(q), emit: async (rows) => { emitted += rows.length; }, checkpoint: async () => {}, now: () => model.now, ...extra });
  const n = model.issues.size;
  console.log(name, 'req', model.log.length, 'of', Math.ceil(n / 500), (model.log.length / Math.ceil(n / 500)).toFixed(2), 'seen', r.seen, '/', n, r.settled, r.rounds, JSON.stringify(r.unreachable).slice(0, 200), Date.now() - t, 'ms');
}
test('x', async () => {
  await go('25,000/40 rules', new SearchModel(issues(25000, (n) => ({ rules: 'java:S' + (n % 40) }))));
  await go('12,000 one rule/dir 400 files', new SearchModel(issues(12000, (n) => ({ files: `src/${n % 400}.java` }))));
  await go('12,000 one file', new SearchModel(issues(12000, (n) => ({}))));
  await go('30,000/300 rules/300 files', new SearchModel(issues(30000, (n) => ({ rules: 'java:S' + (n % 300), files: `src/F${(n * 7) % 300}.java` }))));
  await go('200,000 years', new SearchModel(issues(200000, (n) => ({ created: NOW - 86400 - ((n * 7919) % 100000000) }))));
  await go('200,000, 60,000 in one', new SearchModel(issues(200000, (n) => ({ created: n < 60000 ? NOW - 50_000_000 : NOW - 86400 - ((n * 7919) % 100000000), rules: 'java:S' + (n % 60) }))));
  await go('73,293 commits', new SearchModel(issues(73293, (n) => ({ created: NOW - 86400 - 1000 * ((n * 7919) % 700) }))));
  await go('25,000 alike', new SearchModel(issues(25000, (n) => ({}))));
  await go('24,000 in 12,000 files', new SearchModel(issues(24000, (n) => ({ files: `src/${n % 12000}.java` }))));
  await go('30,000 in 30,000 files', new SearchModel(issues(30000, (n) => ({ files: `src/${n}.java` }))));
  await go('future 45,000', new SearchModel(issues(45000, (n) => ({ created: NOW + 86400 * 30 + (n % 3), rules: 'java:S' + (n % 60) }))));
  await go('future 75,000 (3x25,000)', new SearchModel(issues(75000, (n) => ({ created: NOW + 86400 * 30 + (n % 3), rules: 'java:S' + (n % 60) }))));
});
