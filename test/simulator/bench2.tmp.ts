import { generate, featuresOf, Dataset } from './index.ts';
import { Renderer } from './render.ts';
import { DateWriter } from './time.ts';
const data = generate({ projects: 1, issuesPerProject: 20_000, seed: 7 });
const r = new Renderer(data, featuresOf('26.9'), new DateWriter());
const extra = { transitions: false, actions: false, comments: false, ruleDescriptionContextKey: false };
for (let k = 0; k < 6; k++) {
  const t = process.cpuUsage(); let n = 0; let x = 0, y = 0;
  for (let i = 0; i < 20_000; i += 500) { const a = process.cpuUsage(); const s = data.projects[0]!.issues.slice(i, i + 500).map((q) => r.issue(q, extra)).join(','); const b = process.cpuUsage(a); x += b.user + b.system; const c = process.cpuUsage(); n += Buffer.from(s).length; const d = process.cpuUsage(c); y += d.user + d.system; }
  const u = process.cpuUsage(t); console.log((u.user + u.system) / 1000 / 40, 'render', x / 40000, 'buffer', y / 40000, n);
}
