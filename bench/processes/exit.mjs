// Loaded into the program under test (`node --import`): when it ends, it writes what it took to the file BENCH_NOTE.
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  let peakKb = process.resourceUsage().maxRSS;
  try {
    // what getrusage says includes the parent at the fork; this does not
    peakKb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? peakKb);
  } catch {
    // no /proc: the figure above has to do
  }
  if (process.env.BENCH_NOTE)
    writeFileSync(
      process.env.BENCH_NOTE,
      JSON.stringify({ cpuMs: (user + system) / 1000, systemMs: system / 1000, peakKb }),
    );
});
