/** Schema explorer, insights and SQL in a browser: what they show is what SQL says that the test itself wrote. */
import { readFile } from 'node:fs/promises';
import { parquetReadObjects } from 'hyparquet';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sync } from '../../src/app/sync.ts';
import { CHARTS } from '../../src/insights/charts.ts';
import { generate } from '../simulator/index.ts';
import { browserRig, inspect, type BrowserRig } from './rig.ts';

const NOW = Math.floor(Date.now() / 1000);
const ODD = ['<b>"bold" & \'quoted\'</b>', 'مشروع عربي', 'n'.repeat(500), `O'Brien $2`];

let r: BrowserRig;
let connection: number;
let page: Page;

beforeAll(async () => {
  const data = generate({
    projects: 6,
    issuesPerProject: 40,
    hotspots: 6,
    analyses: 5,
    closed: 0.3,
    from: NOW - 200 * 86_400,
    to: NOW - 3600,
    seed: 5,
  });
  data.projects.forEach((project, index) => (project.name = ODD[index] ?? project.name));
  r = await browserRig({ data, version: '10.7' });
  connection = await r.connect();
  await sync(r.service.store, {
    baseUrl: r.sim.url,
    token: r.sim.tokens.admin,
    signal: new AbortController().signal,
  });
  page = await r.open('/schema');
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const goTo = (path: string, within = page): Promise<unknown> => within.goto(`${r.server.url}${path}`);
const rows = async <T extends Record<string, unknown>>(sql: string): Promise<T[]> =>
  (await r.service.store.database.query<T>(sql)).rows;
const saved = async (click: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> => {
  const waiting = page.waitForEvent('download');
  await click();
  const download = await waiting;
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
};
/** The text of each cell; the browser puts tabs between them. */
const cellsOf = async (table: Locator): Promise<string[][]> =>
  (await table.locator('tbody tr:not([aria-hidden])').allInnerTexts()).map((row) =>
    row.split('\t').map((cell) => cell.trim()),
  );

describe('the schema explorer', () => {
  test('shows every table with its rows, and the relations', async () => {
    await goTo('/schema');
    const table = page.getByRole('region', { name: 'Tables' });
    await table.getByRole('link', { name: 'sonarqube_issues', exact: true }).waitFor();
    const shown = new Map((await cellsOf(table)).map(([name = '', , count = '']) => [name.trim(), count.trim()]));
    for (const name of [
      'sonarqube_issues',
      'sonarqube_projects',
      'sonarqube_completeness',
      'sonarqube_project_metrics',
    ]) {
      const [counted] = await rows<{ n: number }>(`select count(*)::int as n from ${name}`);
      expect([name, shown.get(name)?.replaceAll(',', '')]).toEqual([name, String(counted?.n)]);
    }
    expect(shown.get('sonarqube_issue_tags')).toBe('view');
    const drawing = page.getByRole('region', { name: 'Relations, drawn' });
    await drawing.getByRole('link', { name: 'issues', exact: true }).waitFor();
    await page.getByText('Relations in words').click();
    await page.getByRole('listitem').getByText('sonarqube_issues.project_id → sonarqube_projects').waitFor();
    await inspect(page, 'schema');
  });

  test('finds columns by name and by meaning, and keeps the search in the address', async () => {
    await goTo('/schema');
    await page.getByLabel('Search tables and columns').fill('vulnerability_probability');
    const hits = page.getByRole('region', { name: 'Hits' });
    await hits.getByRole('link', { name: 'sonarqube_security_hotspots' }).first().waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toContain('vulnerability_probability');
    await page.getByLabel('Search tables and columns').fill('no such <column>');
    await page.getByRole('heading', { name: 'Nothing fits' }).waitFor();
  });

  test('tells of each column what it is, where it comes from, and what is in it', async () => {
    await goTo('/schema/sonarqube_issues');
    const columns = page.getByRole('region', { name: 'Columns' });
    const severity = columns.getByRole('row', { name: /^severity / });
    await severity.waitFor();
    expect(await severity.innerText()).toMatch(
      /BLOCKER, CRITICAL, MAJOR, MINOR or INFO[\s\S]*issues\[\]\.severity[\s\S]*0 %/,
    );
    const [most] = await rows<{ severity: string }>(
      'select severity from sonarqube_issues group by 1 order by count(*) desc, 1 limit 1',
    );
    expect((await severity.locator('td').last().locator('code').allInnerTexts())[0]).toBe(most?.severity);
    await page.getByRole('button', { name: 'Copy query' }).click();
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(copied).toMatch(/^select id, source_key, [\s\S]* from sonarqube_issues\n limit 100$/);
    await inspect(page, 'schema-table');
    await page.getByRole('link', { name: 'Open in SQL' }).click();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/^100 rows in/).waitFor();
  });

  test('a table that there is not is said so', async () => {
    await goTo('/schema/nothing%3Cb%3E');
    await page.getByText('table_not_found').waitFor();
  });
});

/** Which columns of a chart's table, and the SQL that gives the same; the last rows alone where it names how many. */
const EXPECTED: Readonly<Record<string, { columns: readonly number[]; last?: number; sql: string }>> = {
  'security-issues-by-age': {
    columns: [0, 1, 2],
    sql: `with s as (select severity, case when age < 8 then '0-7' when age < 31 then '8-30' when age < 91 then '31-90' when age < 366 then '91-365' else '> 365' end as bucket
            from (select severity, floor(extract(epoch from now() - created_at) / 86400) as age from sonarqube_issues
                   where issue_status in ('OPEN', 'CONFIRMED') and (issue_type = 'VULNERABILITY' or impact_security is not null)) x)
          select b, v, (select count(*) from s where bucket = b and severity = v)::text
            from unnest(array['0-7', '8-30', '31-90', '91-365', '> 365']) b, (select distinct severity as v from s) l`,
  },
  'hotspots-by-age': {
    columns: [1, 2],
    sql: `select p, sum(n)::text from (select vulnerability_probability as p, count(*) as n from sonarqube_security_hotspots where status = 'TO_REVIEW' group by 1) x group by 1`,
  },
  'issues-by-severity': {
    columns: [0, 1],
    sql: `select severity, count(*)::text from sonarqube_issues where issue_status in ('OPEN', 'CONFIRMED') group by 1`,
  },
  'issues-by-rule': {
    columns: [0, 1],
    sql: `select rule, count(*)::text from sonarqube_issues where issue_status in ('OPEN', 'CONFIRMED') group by 1 order by count(*) desc, rule limit 20`,
  },
  'opened-closed': {
    columns: [1, 2],
    sql: `select (select count(*) from sonarqube_issues where created_at >= current_date - 365)::text as a, (select count(*) from sonarqube_issues where close_date >= current_date - 365)::text as b`,
  },
  'time-to-fix': {
    columns: [4],
    sql: `select count(*)::text from sonarqube_issues where resolution = 'FIXED' and close_date >= current_date - 365`,
  },
  'vulnerabilities-over-time': {
    columns: [1, 2],
    last: 1,
    sql: newest('sum(v) as a, count(*) as b', ['vulnerabilities']),
  },
  'coverage-over-time': {
    columns: [1],
    last: 1,
    sql: newest('round(sum(v * w) / sum(w), 2) as a', ['coverage', 'lines_to_cover']),
  },
  'duplications-over-time': {
    columns: [1],
    last: 1,
    sql: newest('round(100 * sum(v) / sum(w), 2) as a', ['duplicated_lines', 'lines']),
  },
  'maintainability-over-time': { columns: [1], last: 1, sql: newest('sum(v) as a', ['code_smells']) },
  ratings: {
    columns: [0, 1, 2],
    sql: `select p.name, k.title, coalesce((select c.value::numeric::int::text from sonarqube_current_measures c join sonarqube_metrics m on m.id = c.metric_id where c.project_id = p.id and m.source_key = k.key), '–')
            from sonarqube_projects p, (values ('security_rating', 'Security'), ('reliability_rating', 'Reliability'), ('sqale_rating', 'Maintainability'), ('security_review_rating', 'Security review')) k (key, title)`,
  },
  'worst-projects': {
    columns: [0, 1, 2],
    sql: `select p.name, coalesce(max(c.value) filter (where m.source_key = 'blocker_violations'), '–') as a, coalesce(max(c.value) filter (where m.source_key = 'critical_violations'), '–') as b
            from sonarqube_projects p join sonarqube_current_measures c on c.project_id = p.id join sonarqube_metrics m on m.id = c.metric_id group by p.id, p.name`,
  },
  freshness: { columns: [1, 2, 3], sql: `select count(*)::text as a, '0' as b, '0' as c from sonarqube_projects` },
  completeness: {
    columns: [0, 1, 2],
    sql: `select stream, state, count(*)::text from sonarqube_completeness group by 1, 2`,
  },
};

/** The newest analysis of each project that has these metrics. */
function newest(select: string, [value = '', weight = value]: readonly string[]): string {
  return `select ${select} from (select distinct on (v.project_id) v.value::numeric as v, w.value::numeric as w
    from sonarqube_project_metrics v join sonarqube_metrics vm on vm.id = v.metric_id and vm.source_key = '${value}'
    join sonarqube_project_metrics w on w.project_id = v.project_id and w.date = v.date
    join sonarqube_metrics wm on wm.id = w.metric_id and wm.source_key = '${weight}'
    where v.value is not null and w.value is not null order by v.project_id, v.date desc) x`;
}

describe('insights', () => {
  const cardOf = async (id: string, within = page): Promise<Locator> => {
    const card = within.locator(`article[data-chart="${id}"]`);
    await card.scrollIntoViewIfNeeded();
    await within.locator(`article[data-chart="${id}"][data-ready]`).waitFor();
    return card;
  };
  const tableOf = async (card: Locator): Promise<string[][]> => {
    const choice = card.getByText('Table', { exact: true });
    if (await choice.isVisible()) await choice.click();
    await card.getByRole('table').waitFor();
    return cellsOf(card);
  };
  const plain = (text: string): string => text.trim().replaceAll(/(\d),(?=\d{3})/g, '$1');

  test('every chart has an expectation here', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(CHARTS.map(({ id }) => id).sort());
  });

  test.each(CHARTS.map(({ id }) => id))('%s shows what SQL says', async (id) => {
    const { columns, last, sql } = EXPECTED[id] ?? { columns: [], sql: 'select' };
    if (page.url() !== `${r.server.url}/insights`) await goTo('/insights');
    const card = await cardOf(id);
    const all = (await tableOf(card)).map((row) => row.map(plain));
    let shown = (last === undefined ? all : all.slice(-last)).map((row) => columns.map((index) => row[index] ?? ''));
    const wanted = (await rows(sql)).map((row) => Object.values(row).map((value) => plain(String(value))));
    // these name sums, the chart their parts
    if (['opened-closed', 'time-to-fix'].includes(id)) {
      shown = [columns.map((_, index) => String(shown.reduce((sum, row) => sum + Number(row[index]), 0)))];
    }
    if (id === 'hotspots-by-age') {
      const sums = new Map<string, number>();
      for (const [level = '', count] of shown) sums.set(level, (sums.get(level) ?? 0) + Number(count));
      shown = [...sums].map(([level, count]) => [level, String(count)]);
    }
    const texts = (list: readonly (readonly string[])[]): string[] =>
      list
        .map((row) => row.map((value) => (/^-?\d+(\.\d+)?$/.test(value) ? String(Number(value)) : value)).join(' | '))
        .sort();
    expect(texts(shown)).toEqual(texts(wanted));
  });

  test('what is drawn is what the table says', async () => {
    await goTo('/insights');
    const card = await cardOf('issues-by-severity');
    const bars = await card.locator('svg[role=img] g[data-place]').all();
    const drawn = await Promise.all(
      bars.map(async (bar) => [await bar.getAttribute('data-place'), await bar.getAttribute('data-value')]),
    );
    expect(drawn.sort()).toEqual((await tableOf(card)).map(([place = '', value = '']) => [place, value]).sort());
  });

  test('no text of a chart stands outside of it', async () => {
    await goTo('/insights');
    for (const { id } of CHARTS) await cardOf(id);
    const charts = page.locator('svg[role="img"]');
    await expect.poll(() => charts.count()).toBeGreaterThan(5);
    const cut: string[] = [];
    for (const chart of await charts.all()) {
      const whole = await chart.boundingBox();
      for (const text of await chart.locator('text').all()) {
        const own = await text.boundingBox();
        const fits = whole && own && own.x >= whole.x && own.x + own.width <= whole.x + whole.width;
        if (!fits) cut.push((await text.textContent()) ?? '');
      }
    }
    expect(cut).toEqual([]);
  });

  test('the filters stand in the address and change the numbers', async () => {
    const [project] = await rows<{ source_key: string; id: number }>(
      'select source_key, id from sonarqube_projects order by id limit 1',
    );
    await goTo('/insights');
    await page.getByRole('combobox', { name: 'Projects (keys)' }).fill(project?.source_key ?? '');
    await page.keyboard.press('Enter');
    await page.getByLabel('From').fill('2026-01-01');
    await expect.poll(() => page.url()).toContain('from=2026-01-01');
    expect(decodeURIComponent(page.url())).toContain(project?.source_key);
    await page.reload();
    const card = await cardOf('issues-by-severity');
    const counted = await rows<{ n: string }>(
      `select count(*)::text as n from sonarqube_issues where project_id = ${project?.id ?? 0} and issue_status in ('OPEN', 'CONFIRMED') group by severity`,
    );
    expect((await tableOf(card)).map(([, count]) => count).sort()).toEqual(counted.map(({ n }) => n).sort());
    await page.getByRole('button', { name: 'Show everything' }).click();
    await expect.poll(() => new URL(page.url()).search).toBe('');
  });

  test('a filter that makes no sense is refused plainly', async () => {
    await goTo('/insights?from=2026-06-01&to=2026-01-01');
    await page
      .getByText(/lies after the last/)
      .first()
      .waitFor();
  });

  test('shows its SQL, which gives the same rows, and downloads CSV and PNG', async () => {
    await goTo('/insights');
    const card = await cardOf('issues-by-severity');
    const csv = await saved(() => card.getByRole('button', { name: 'CSV' }).click());
    expect(csv.name).toBe('issues-by-severity.csv');
    const lines = csv.bytes.toString('utf8').replace('\uFEFF', '').trim().split('\r\n');
    expect(lines[0]).toBe('severity,issues');
    const png = await saved(() => card.getByRole('button', { name: 'PNG' }).click());
    expect([png.name, png.bytes.subarray(1, 4).toString()]).toEqual(['issues-by-severity.png', 'PNG']);
    expect(png.bytes.length).toBeGreaterThan(3000);
    await card.getByRole('button', { name: 'SQL' }).click();
    await card.getByRole('link', { name: 'Open in SQL' }).click();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const result = page.getByRole('region', { name: 'Rows' });
    await result.waitFor();
    expect((await cellsOf(result)).map((row) => row.join(','))).toEqual(lines.slice(1));
  });

  test('odd names are shown as they are, and lead to the project', async () => {
    await goTo('/insights');
    const card = await cardOf('worst-projects');
    for (const name of ODD) expect(await card.getByText(name, { exact: true }).count()).toBeGreaterThan(0);
    expect(await card.locator('td b').count()).toBe(0);
    const link = card.locator('tbody a').first();
    const key = await link.innerText();
    await link.click();
    await page.getByText(key).first().waitFor();
    expect(new URL(page.url()).pathname).toBe(`/connections/${connection}/projects`);
  });

  test('nothing that a screen reader or a keyboard stumbles over, in light, dark and on a phone', async () => {
    for (const [look, name] of [
      [{}, 'insights'],
      [{ dark: true }, 'insights-dark'],
      [{ phone: true }, 'insights-phone'],
    ] as const) {
      const other = await r.open('/insights', look);
      for (const { id } of CHARTS) await cardOf(id, other);
      await inspect(other, name);
      await other.close();
    }
  });
});

describe('SQL', () => {
  const write = async (sql: string, within = page): Promise<void> => {
    // pasted, as people do: what is typed would be completed on the way
    await within.evaluate(`navigator.clipboard.writeText(${JSON.stringify(sql)})`);
    await within.getByRole('textbox', { name: 'SQL' }).click();
    await within.keyboard.press('Control+A');
    await within.keyboard.press('Control+V');
  };
  const run = (within = page): Promise<void> => within.getByRole('button', { name: 'Run', exact: true }).click();
  const result = (): Locator => page.getByRole('region', { name: 'Rows' });

  test('runs what is written, by the button and by Ctrl+Enter', async () => {
    await goTo('/sql');
    await write(`select 1 as one, null as nothing, '<b>x</b>' as text`);
    await run();
    await page.getByText(/^1 row in/).waitFor();
    expect(await cellsOf(result())).toEqual([['1', 'NULL', '<b>x</b>']]);
    await write('select 2 as two');
    await page.keyboard.press('Control+Enter');
    await result().getByText('two').waitFor();
    await inspect(page, 'sql');
  });

  test('completes the names of tables and columns', async () => {
    await goTo('/sql');
    await page.getByRole('textbox', { name: 'SQL' }).fill('');
    await page.keyboard.type('select * from sonarqube_sec');
    await page.locator('.cm-tooltip-autocomplete').getByText('sonarqube_security_hotspots').waitFor();
    await page.keyboard.press('Escape');
  });

  test('marks an error where it is', async () => {
    await goTo('/sql');
    await write('select severty\n  from sonarqube_issues');
    await run();
    await page
      .getByText(/column "severty" does not exist \(line 1, column 8\)/)
      .first()
      .waitFor();
    const marked = page.locator('.cm-lintRange-error');
    await marked.waitFor();
    expect(await marked.innerText()).toBe('severty');
    await inspect(page, 'sql-error');
  });

  test('says that it can only read', async () => {
    await goTo('/sql');
    for (const sql of ['delete from sonarqube_issues', 'select * from soundings.credentials']) {
      await write(sql);
      await run();
      await page
        .getByText(/may only read the warehouse/)
        .first()
        .waitFor();
    }
  });

  test('names the cap on rows, draws a chart, and downloads all rows in three formats', async () => {
    await goTo('/sql');
    await page.getByLabel('Row limit').selectOption('100');
    await write(`select n, 'x' || n as name from generate_series(1, 250) n`);
    await run();
    await page.getByText(/These are the first 100 rows; there are more/).waitFor();
    const csv = await saved(() => page.getByRole('button', { name: 'CSV' }).click());
    expect(csv.bytes.toString().trim().split('\r\n')).toHaveLength(251);
    const json = await saved(() => page.getByRole('button', { name: 'JSON' }).click());
    expect(JSON.parse(json.bytes.toString())).toHaveLength(250);
    const parquet = await saved(() => page.getByRole('button', { name: 'Parquet' }).click());
    const { buffer, byteOffset, length } = parquet.bytes;
    expect(
      (await parquetReadObjects({ file: buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer }))[249],
    ).toEqual({
      n: 250,
      name: 'x250',
    });
    await page.getByText('Chart', { exact: true }).click();
    await page.getByLabel('As', { exact: true }).selectOption('line');
    await page.locator('svg[role=img] g[data-series=n]').waitFor();
  });

  test('is cancelled, here and on the server', async () => {
    await goTo('/sql');
    await write('select pg_sleep(123)');
    await run();
    const running = async (): Promise<number> =>
      (
        await rows<{ n: number }>(
          `select count(*)::int as n from pg_stat_activity where query = 'select pg_sleep(123)' and state = 'active' and datname = current_database()`,
        )
      )[0]?.n ?? 0;
    await expect.poll(running, { timeout: 30_000 }).toBe(1);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The query was cancelled').waitFor();
    await expect.poll(running, { timeout: 30_000 }).toBe(0);
  });

  test('saves a query, finds it again, deletes it; the history has what ran', async () => {
    const name = `Mine <i>${Date.now()}</i>`;
    await goTo('/sql');
    await write('select 42 as answer');
    await run();
    await page.getByText(/^1 row in/).waitFor();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await inspect(page, 'sql-save');
    await page.getByRole('button', { name: 'Save the query' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('tab', { name: 'History' }).click();
    await page
      .getByRole('button', { name: /select 42 as answer/ })
      .first()
      .waitFor();
    await write('select 0');
    await page.getByRole('tab', { name: 'Saved' }).click();
    await page
      .getByRole('button', { name: new RegExp(`^Mine <i>`) })
      .first()
      .click();
    await run();
    await result().getByText('42').waitFor();
    await page.getByRole('button', { name: `Delete the query ${name}` }).click();
    await page.getByText(name).waitFor({ state: 'detached' });
  });

  test('every example runs', async () => {
    const { examples } = await r.call<{ examples: { name: string }[] }>('queries.list');
    await goTo('/sql');
    for (const { name } of examples) {
      await page.getByRole('button', { name, exact: false }).first().click();
      await run();
      await page.getByText(/^[\d,]+ rows? in/).waitFor();
      expect(await page.getByText('The query failed').count()).toBe(0);
    }
  });

  test('dark, and on a phone', async () => {
    for (const [look, name] of [
      [{ dark: true }, 'sql-dark'],
      [{ phone: true }, 'sql-phone'],
    ] as const) {
      const other = await r.open('/sql', look);
      await run(other);
      await other.getByText(/rows in/).waitFor();
      await inspect(other, name);
      await other.close();
    }
  });
});

test('the schema explorer in dark and on a phone', async () => {
  for (const [look, name] of [
    [{ dark: true }, 'schema-dark'],
    [{ phone: true }, 'schema-phone'],
  ] as const) {
    const other = await r.open('/schema', look);
    await other.getByRole('link', { name: 'sonarqube_issues', exact: true }).waitFor();
    await inspect(other, name);
    await other.close();
  }
});

test('an empty database is shown as one', async () => {
  await using empty = await browserRig({ data: generate({ projects: 0 }) });
  const fresh = await empty.open('/schema');
  await fresh.getByRole('link', { name: 'sonarqube_issues', exact: true }).waitFor();
  await fresh.goto(`${empty.server.url}/schema/sonarqube_issues`);
  await fresh.getByRole('row', { name: /^severity / }).waitFor();
  await fresh.goto(`${empty.server.url}/insights`);
  await fresh.getByText('There is nothing to show for these filters.').first().waitFor();
  await inspect(fresh, 'insights-empty');
  await fresh.goto(`${empty.server.url}/sql`);
  await fresh.getByRole('button', { name: 'Run', exact: true }).click();
  await fresh.getByText(/^0 rows in/).waitFor();
});
