#!/usr/bin/env node
// Plain JavaScript that any Node can read: on one that is too old it says so instead of failing on newer syntax.
var needed = [22, 19];
var have = process.versions.node.split('.').map(Number);
if (have[0] < needed[0] || (have[0] === needed[0] && have[1] < needed[1])) {
  process.stderr.write(
    'soundings: Node.js ' +
      process.versions.node +
      ' is too old, it needs 22.19 or later; in a checkout use "npx soundings", which brings its own.\n',
  );
  process.exit(2);
}
import('../dist/cli/main.js').catch(function (error) {
  if (error && error.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).indexOf('dist') !== -1) {
    process.stderr.write('soundings: this checkout is not built yet; run "npm ci" (or "npm run build").\n');
    process.exit(2);
  }
  throw error;
});
