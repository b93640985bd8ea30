import { generate, startSimulator } from './index.ts';
const t0 = performance.now();
const c0 = process.cpuUsage();
const data = generate({ projects: 10, issuesPerProject: 100_000, analyses: 20, seed: 7 });
const cpu = (c: NodeJS.CpuUsage) => {
  const u = process.cpuUsage(c);
  return (u.user + u.system) / 1000;
};
console.log('generate', performance.now() - t0, cpu(c0));
const c1 = process.cpuUsage();
const sim = await startSimulator({ data, version: '26.9', gzip: false, warm: true });
console.log('warm cpu', cpu(c1));
const get = async (q: string) =>
  (
    await (
      await fetch(`${sim.url}/api/${q}`, { headers: { authorization: `Bearer ${sim.tokens.admin}` } })
    ).arrayBuffer()
  ).byteLength;
const P = data.projects[0]!.key;
for (const facets of ['severities', 'rules', 'files,directories', 'createdAt']) {
  const c = process.cpuUsage();
  await get(`issues/search?componentKeys=${P}&facets=${facets}&ps=1`);
  console.log(facets, cpu(c));
}
{
  const c = process.cpuUsage();
  await get(`issues/search?facets=severities,types&ps=1`);
  console.log('all', cpu(c));
}
for (let r = 0; r < 4; r++) {
  const c = process.cpuUsage();
  const t = performance.now();
  const n = 100;
  for (let i = 0; i < n; i++)
    await get(`issues/search?componentKeys=${P}&s=CREATION_DATE&asc=true&ps=500&p=${1 + (i % 20)}`);
  console.log('page', cpu(c) / n, 'ms cpu', (performance.now() - t) / n, 'ms');
}
await sim.close();
