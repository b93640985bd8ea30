// After tsc: the command is executable, and `npx soundings` finds it in this checkout without installing the package.
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';

chmodSync('bin/soundings.js', 0o755);
if (existsSync('node_modules') && process.platform !== 'win32') {
  mkdirSync('node_modules/.bin', { recursive: true });
  rmSync('node_modules/.bin/soundings', { force: true });
  symlinkSync('../../bin/soundings.js', 'node_modules/.bin/soundings');
}
