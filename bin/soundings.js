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
// Node gives a program with much memory around it a heap that grows long before it is cleaned, and the C library keeps what
// was freed: what moves pages would take twice what it needs. Little of a page survives, so that several threads looking for
// what does take longer than one. All this is fixed when a process begins, so it begins again in its own place, before
// anything else is loaded.
var moving = ['sync', 'serve', 'worker', 'demo'];
var flags = ['--max-semi-space-size=8', '--heap-growing-percent=80', '--no-parallel-scavenge'];
var allocator = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };
var chosen = (process.execArgv.join(' ') + ' ' + (process.env.NODE_OPTIONS || '')).indexOf('-space-size') !== -1;
if (moving.indexOf(process.argv[2]) !== -1 && !chosen && process.platform !== 'win32' && process.execve) {
  var warn = process.emitWarning;
  process.emitWarning = function () {}; // that the way to do so is new to Node is nothing to the person
  try {
    process.execve(
      process.execPath,
      [process.execPath].concat(flags, process.execArgv, process.argv.slice(1)),
      Object.assign({}, allocator, process.env),
    );
  } catch (refused) {
    void refused; // then with the heap that Node chose
    process.emitWarning = warn;
  }
}
// What V8 made of the modules is kept for the next start, in the person's own cache folder: nobody else may write what this
// program runs. Where there is none that can be written, every start is as slow as the first one.
var home = process.env.XDG_CACHE_HOME || (process.platform === 'win32' ? process.env.LOCALAPPDATA : process.env.HOME);
if (home && process.getBuiltinModule && !process.env.NODE_COMPILE_CACHE) {
  try {
    var fs = process.getBuiltinModule('fs');
    fs.accessSync(home, 2);
    // under sudo the folder may be somebody else's, who could put code there
    if (process.getuid && fs.statSync(home).uid !== process.getuid()) throw new Error('not ours');
    var cache = process.env.XDG_CACHE_HOME || process.platform === 'win32' ? home : home + '/.cache';
    process.getBuiltinModule('module').enableCompileCache(cache + '/soundings/compiled');
  } catch (unwritable) {
    void unwritable;
  }
}
import('../dist/cli/main.js').catch(function (error) {
  if (error && error.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).indexOf('dist') !== -1) {
    process.stderr.write('soundings: this checkout is not built yet; run "npm ci" (or "npm run build").\n');
    process.exit(2);
  }
  throw error;
});
