/**
 * A process that uses an embedded database, for tests of how several share one: `node user.testing.ts <dataDir>`. Says
 * `open <pid of the server>`, ends its use when its input ends, and says `closed`.
 */
import { openEmbedded } from './embedded.ts';
import { findPostmaster } from './postmaster.ts';

// the terminal's Ctrl-C reaches this process too, and what an application does then is its own affair
process.on('SIGINT', () => undefined);

const dataDir = process.argv[2] ?? '';
const opened = await openEmbedded({ dataDir });
const postmaster = await findPostmaster(`${dataDir}/postgres`);
process.stdout.write(`open ${postmaster?.pid ?? 'nowhere'}\n`);
process.stdin.resume().once('end', () => {
  void opened.close().then(() => process.stdout.write('closed\n'));
});
