/**
 * The source files that the tests' projects consist of: small, generated, the same each time, and wrong in ways that
 * SonarQube's rules for Python and JavaScript find.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Files of a tree: path (with /) and text. */
type Tree = Map<string, string>;

/** A project's files written to disk, with the properties that its analysis needs. */
export interface Prepared {
  directory: string;
  properties: Record<string, string>;
}

async function write(directory: string, tree: Tree): Promise<void> {
  for (const [name, text] of tree) {
    const file = path.join(directory, ...name.split('/'));
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.writeFile(file, text);
  }
}

async function emptied(directory: string): Promise<void> {
  await fs.mkdir(directory, { recursive: true });
  for (const name of await fs.readdir(directory)) {
    await fs.rm(path.join(directory, name), { recursive: true, force: true });
  }
}

const two = (n: number): string => String(n).padStart(2, '0');

/** A Python module with bugs, vulnerabilities or hotspots, and code smells; each module differs from the others. */
function flawedPython(name: string, seed: number): string {
  const n = seed + 3;
  return `"""Module ${name}: made to be found fault with."""
import hashlib
import os
import random
import ssl
import tempfile

import requests

password = "Sup3rS3cret-${name}-${seed}"


def compare_${name}(value, other):
    # TODO decide what ${name} should compare
    if value == value:
        return ${n}
    if other > ${n}:
        if value > ${n * 2}:
            other = other
    unused_${name} = ${n * 7}
    return value
    print("never printed by ${name}")


def fetch_${name}(address):
    context = ssl.SSLContext(ssl.PROTOCOL_TLSv1)
    scratch = tempfile.mktemp(suffix="${name}")
    answer = requests.get(address, verify=False)
    os.chmod(scratch, 0o777)
    digest = hashlib.md5(answer.content).hexdigest()
    return context, digest, random.randint(0, ${n * 11})


def Label_${name}(kind):
    if kind == ${n}:
        text = "a label of ${name} kind"
    else:
        text = "a label of ${name} kind"
    parts = ["a label of ${name} kind", "a label of ${name} kind", text]
    # result = compute_${name}(parts[0])
    # return result
    return parts


def weigh_${name}(a, b, c):
    total = 0
    for i in range(a):
        if i % ${2 + (seed % 3)} == 0:
            for j in range(b):
                if j > i and c:
                    while total < ${n * 100}:
                        if total % ${n} == 0 or total > b:
                            total += i * j
                        elif c > total:
                            total -= 1
                        else:
                            total += ${n}
    return total
`;
}

/** The same module with nothing wrong in it. */
function cleanPython(name: string, seed: number): string {
  return `"""Module ${name}: nothing to be found fault with."""


def compare_${name}(value, other):
    """Gives the larger one."""
    if value > other + ${seed}:
        return value
    return other


def double_${name}(value):
    """Gives twice the value."""
    return value * 2
`;
}

/** A JavaScript file with bugs and code smells. */
function flawedScript(name: string, seed: number): string {
  return `var secret_${name} = "token";

function check_${name}(a, b) {
  var unused = ${seed};
  if (a === a) {
    b = b;
  }
  // TODO remove ${name}
  if (b == null) {
    return Math.random() * ${seed + 2};
  } else {
    return eval("a + b");
  }
}

function pick_${name}(kind) {
  switch (kind) {
    case 1:
      return "${name}";
    case 1:
      return "${name} again";
    default:
      break;
  }
  for (var i = 0; i < ${seed + 4}; i--) {
    console.log(kind, i);
  }
  var html = "http://example.org/${name}";
  return html;
}

export { check_${name}, pick_${name}, secret_${name} };
`;
}

/** Lines that occur in more than one file. */
function duplicated(): string {
  const lines = ['"""Written twice."""', '', '', 'def measure(values, limit, factor):', '    result = {}'];
  for (let i = 0; i < 24; i++) {
    lines.push(
      `    if values[${i}] > limit * ${i + 1}:`,
      `        result["key${i}"] = values[${i}] * factor + ${i * i}`,
    );
  }
  lines.push('    return result', '');
  return lines.join('\n');
}

function testFile(name: string): string {
  return `import unittest


class Test_${name}(unittest.TestCase):
    def test_nothing(self):
        # TODO test ${name}
        self.assertEqual(1, 1)

    def test_same(self):
        value = "${name}"
        self.assertTrue(value == value)
`;
}

/** The coverage of Python files in SonarQube's own format; a share of the lines of code, in percent. */
function coverageReport(tree: Tree, share: number): string {
  const out = ['<coverage version="1">'];
  let counter = 0;
  for (const [name, text] of tree) {
    if (!name.startsWith('src/') || !name.endsWith('.py')) continue;
    out.push(`  <file path="${name}">`);
    text.split('\n').forEach((line, index) => {
      if (!/^ {4,}(?!#|""")\S/.test(line)) return;
      const covered = (counter++ * 37) % 100 < share;
      const branches = /^\s+if /.test(line) ? ` branchesToCover="2" coveredBranches="${covered ? 1 : 0}"` : '';
      out.push(`    <lineToCover lineNumber="${index + 1}" covered="${covered}"${branches}/>`);
    });
    out.push('  </file>');
  }
  out.push('</coverage>', '');
  return out.join('\n');
}

/** The report of tests that ran, in SonarQube's own format. */
function testReport(names: string[]): string {
  const files = names.map(
    (name, i) =>
      `  <file path="${name}">\n    <testCase name="test_nothing" duration="${5 + i}"/>\n` +
      `    <testCase name="test_same" duration="7">${i === 0 ? '<failure message="no">stack</failure>' : ''}</testCase>\n  </file>`,
  );
  return `<testExecutions version="1">\n${files.join('\n')}\n</testExecutions>\n`;
}

/**
 * A project that is analysed again and again. Revision 1 is the first. From one to the next, some modules are fixed
 * (their issues are closed), one is deleted, one renamed, one has its lines moved, some are new, and in revision 3 the
 * faults of one fixed module come back. Every revision from 4 on fixes one module and adds one.
 */
export async function prepareHistory(directory: string, revision: number): Promise<Prepared> {
  await emptied(directory);
  const tree: Tree = new Map();
  const fixed = new Set<number>();
  if (revision >= 2) [0, 1, 2].forEach((i) => fixed.add(i));
  if (revision >= 3) {
    fixed.delete(0); // its faults come back
    fixed.add(6);
  }
  for (let r = 4; r <= revision; r++) fixed.add(7 + ((r - 4) % 5));
  const added = revision >= 3 ? 18 : revision === 2 ? 15 : 12;
  const last = Math.max(added, added + revision - 3);
  for (let i = 0; i < last; i++) {
    if (i === 3 && revision >= 2) continue; // deleted
    const name = i === 4 && revision >= 2 ? 'renamed_04' : `module_${two(i)}`;
    const text = fixed.has(i) ? cleanPython(`m${i}`, i) : flawedPython(`m${i}`, i);
    // lines that move, with the same issues on them
    const moved = i === 5 ? `# moved ${'down\n# and '.repeat(revision - 1)}here\n` : '';
    tree.set(`src/app/${name}.py`, moved + text);
  }
  for (let i = 0; i < 4; i++) tree.set(`src/web/page_${i}.js`, flawedScript(`p${i}`, i));
  if (revision >= 2) tree.set('src/web/page_new.js', flawedScript('fresh', revision));
  tree.set('src/copies/first.py', duplicated());
  tree.set('src/copies/second.py', duplicated());
  const tests = ['tests/test_first.py', 'tests/test_second.py'];
  tests.forEach((name, i) => tree.set(name, testFile(`t${i}`)));
  tree.set('coverage.xml', coverageReport(tree, Math.min(95, 35 + revision * 15)));
  tree.set('tests.xml', testReport(tests));
  await write(directory, tree);
  return {
    directory,
    properties: {
      'sonar.sources': 'src',
      'sonar.tests': 'tests',
      'sonar.coverageReportPaths': 'coverage.xml',
      'sonar.testExecutionReportPaths': 'tests.xml',
      'sonar.scm.disabled': 'true',
    },
  };
}

/** Sizes of the project with more issues in one second than a search can reach. */
export const OVERFLOW = { files: 300, directories: 150, perFile: 41, common: 35, rules: 12 } as const;

const SEVERITIES = ['MAJOR', 'BLOCKER', 'CRITICAL', 'MINOR', 'INFO'] as const;
const TYPES = ['CODE_SMELL', 'BUG', 'VULNERABILITY'] as const;
const QUALITIES = ['MAINTAINABILITY', 'RELIABILITY', 'SECURITY'] as const;
const IMPACTS = ['HIGH', 'MEDIUM', 'LOW'] as const;

/**
 * A project with 12,300 issues of an external tool, all created by one analysis: 10,500 of them alike in rule,
 * severity and type, spread over 300 files in 150 directories; the others of 11 rules in all severities and types.
 */
export async function prepareOverflow(directory: string, modernReport: boolean): Promise<Prepared> {
  await emptied(directory);
  const tree: Tree = new Map();
  const issues: object[] = [];
  for (let f = 0; f < OVERFLOW.files; f++) {
    const file = `src/d${String(f % OVERFLOW.directories).padStart(3, '0')}/file_${String(f).padStart(3, '0')}.py`;
    const lines: string[] = [];
    for (let n = 0; n < OVERFLOW.perFile; n++) {
      lines.push(`value_${n} = ${f * 100 + n}`);
      const rule = n < OVERFLOW.common ? 0 : 1 + ((f + n) % (OVERFLOW.rules - 1));
      const known = modernReport ? {} : { engineId: 'probe', severity: SEVERITIES[rule % 5], type: TYPES[rule % 3] };
      issues.push({
        ruleId: `rule-${rule}`,
        ...known,
        effortMinutes: n % 61,
        primaryLocation: { message: `Finding ${n} of file ${f}`, filePath: file, textRange: { startLine: n + 1 } },
      });
    }
    tree.set(file, `${lines.join('\n')}\n`);
  }
  const rules = Array.from({ length: OVERFLOW.rules }, (_, rule) => ({
    id: `rule-${rule}`,
    name: `Rule ${rule} of the probe`,
    description: 'A rule of a tool that exists only in tests',
    engineId: 'probe',
    cleanCodeAttribute: 'CONVENTIONAL',
    type: TYPES[rule % 3],
    severity: SEVERITIES[rule % 5],
    impacts: [{ softwareQuality: QUALITIES[rule % 3], severity: IMPACTS[rule % 3] }],
  }));
  tree.set('probe.json', JSON.stringify(modernReport ? { rules, issues } : { issues }));
  await write(directory, tree);
  return {
    directory,
    properties: {
      'sonar.sources': 'src',
      'sonar.externalIssuesReportPaths': 'probe.json',
      'sonar.scm.disabled': 'true',
    },
  };
}

/** Paths that are hard to get right in URLs, lists, files and tables. */
export const HARD_PATHS = [
  'src/comma, and space/a,b.py',
  "src/it's/single'quote.py",
  'src/double"quote/say "hi".py',
  'src/plus+plus/a+b & c.py',
  'src/percent%20/100%.py',
  'src/semi;colon/eq=hash#at@.py',
  'src/brackets [x]/{braces} (round).py',
  'src/ünïcödé/naïve_ß.py',
  'src/日本語/ファイル.py',
  'src/emoji 🙂/🎉👩‍💻.py',
  'src/decomposed/cafe\u0301.py',
  'src/right-to-left/שלום.py',
  'src/dollar$/tilde~caret^.py',
  'src/plain/plain.py',
] as const;

/** A project whose files have hard names, in git: two commits, years ago, by authors with hard names. */
export async function preparePaths(directory: string): Promise<Prepared> {
  await emptied(directory);
  const git = async (date: string, author: string, email: string, ...args: string[]): Promise<void> => {
    const identity = ['-c', `user.name=${author}`, '-c', `user.email=${email}`, '-c', 'commit.gpgsign=false'];
    await run('git', ['-C', directory, ...identity, ...args], {
      env: {
        ...process.env,
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
      },
    });
  };
  const commits = [
    { date: '2019-05-06T07:08:09Z', author: "Zoë O'Brien", email: 'zoe+commits@example.org' },
    { date: '2021-10-11T12:13:14+0530', author: '李 雷', email: 'li.lei@example.org' },
  ] as const;
  await run('git', ['init', '-q', directory]);
  for (const [i, commit] of commits.entries()) {
    const paths = HARD_PATHS.filter((_, at) => at % commits.length === i);
    const tree: Tree = new Map(paths.map((name, at) => [name, flawedPython(`h${i}_${at}`, at)]));
    await write(directory, tree);
    await git(commit.date, commit.author, commit.email, 'add', '-A');
    await git(commit.date, commit.author, commit.email, 'commit', '-q', '-m', `Part ${i}`);
  }
  return { directory, properties: { 'sonar.sources': 'src' } };
}

/** A small project. */
export async function preparePrivate(directory: string): Promise<Prepared> {
  await emptied(directory);
  const tree: Tree = new Map();
  for (let i = 0; i < 3; i++) tree.set(`src/secret_${i}.py`, flawedPython(`s${i}`, i));
  await write(directory, tree);
  return { directory, properties: { 'sonar.sources': 'src', 'sonar.scm.disabled': 'true' } };
}
