/** One chart: its picture or its table, its SQL, its downloads. Asked for when it comes into view. */
import { Alert, Button, Code, Collapse, Group, Paper, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import { useDisclosure, useIntersection } from '@mantine/hooks';
import { useMemo, useRef, useState } from 'react';
import { useRead, type Answer } from '../../api.ts';
import { HeatMapPlot } from '../../charts/heat-map.tsx';
import { csvOf, heatMapOf, isEmpty, panelsOf, type Insight } from '../../charts/model.ts';
import { Plot, type PlotKind } from '../../charts/plot.tsx';
import { saveCsv, savePng } from '../../charts/save.ts';
import { ButtonLink } from '../../parts/button-link.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { IconCode, IconDownload } from '../../parts/icons.tsx';
import { Loaded, Waiting } from '../../parts/loaded.tsx';
import { ChartTable } from './chart-table.tsx';
import type { InsightsSearch } from './insights-search.ts';

type Result = Answer<'insights.run'>;

interface ChartCardProps {
  readonly insight: Insight;
  readonly filters: InsightsSearch;
}

export function ChartCard({ insight, filters }: ChartCardProps) {
  // a little before it can be seen; once seen it stays
  const { ref, entry } = useIntersection({ rootMargin: '300px' });
  const [seen, setSeen] = useState(false);
  if (entry?.isIntersecting === true && !seen) setSeen(true);
  const result = useRead('insights.run', argumentsOf(insight, filters), { enabled: seen, keep: true });
  const wide = insight.kind === 'heat-map' || insight.kind === 'table';
  return (
    <Paper
      ref={ref}
      withBorder
      p="md"
      component="article"
      aria-labelledby={`chart-${insight.id}`}
      data-chart={insight.id}
      data-ready={result.data !== undefined && !result.isPlaceholderData ? true : undefined}
      style={{ minHeight: 320, minWidth: 0, ...(wide && { gridColumn: '1 / -1' }) }}
    >
      <Title order={2} size="h4" id={`chart-${insight.id}`}>
        {insight.title}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {insight.description}
      </Text>
      {seen ? (
        <Loaded of={result} what={insight.title}>
          {(answer) => <Shown answer={answer} />}
        </Loaded>
      ) : (
        <Waiting />
      )}
    </Paper>
  );
}

/** Only what the chart goes by: the same filters for another chart are the same answer. */
function argumentsOf({ id, parameters }: Insight, filters: InsightsSearch) {
  const goesBy = (name: Insight['parameters'][number]): boolean => parameters.includes(name);
  return {
    id,
    ...(filters.connection !== undefined && goesBy('connection') && { connection: filters.connection }),
    ...(filters.projects && goesBy('projects') && { projects: [...filters.projects] }),
    ...(filters.from !== undefined && goesBy('from') && { from: filters.from }),
    ...(filters.to !== undefined && goesBy('to') && { to: filters.to }),
    ...(filters.interval && goesBy('interval') && { interval: filters.interval }),
  };
}

function Shown({ answer }: { readonly answer: Result }) {
  const { insight, rows, sql } = answer;
  const drawing = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<'chart' | 'table'>(insight.kind === 'table' ? 'table' : 'chart');
  const [sqlShown, { toggle }] = useDisclosure(false);
  const [failed, setFailed] = useState<string | null>(null);
  const csv = (): void =>
    saveCsv(
      csvOf(
        insight.columns.map(({ name }) => name),
        rows.map((row) => insight.columns.map(({ name }) => row[name])),
      ),
      `${insight.id}.csv`,
    );
  const png = (): void => {
    const drawings = [...(drawing.current?.querySelectorAll<SVGSVGElement>('svg[role=img]') ?? [])];
    setFailed(null);
    savePng(drawings, insight.title, `${insight.id}.png`).catch((error: unknown) =>
      setFailed(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <Stack gap="sm">
      {isEmpty(rows) ? (
        <Text c="dimmed" py="xl" ta="center">
          There is nothing to show for these filters.
        </Text>
      ) : view === 'table' ? (
        <ChartTable insight={insight} rows={rows} />
      ) : (
        <div ref={drawing}>
          <Picture answer={answer} />
        </div>
      )}
      {failed !== null && (
        <Alert color="red" role="alert">
          {failed}
        </Alert>
      )}
      <Group gap="xs">
        {insight.kind !== 'table' && (
          <SegmentedControl
            size="xs"
            aria-label={`How ${insight.title} is shown`}
            value={view}
            onChange={(value) => setView(value === 'table' ? 'table' : 'chart')}
            data={[
              { value: 'chart', label: 'Chart' },
              { value: 'table', label: 'Table' },
            ]}
          />
        )}
        <Button
          size="xs"
          variant="default"
          leftSection={<IconCode size={14} />}
          onClick={toggle}
          aria-expanded={sqlShown}
        >
          SQL
        </Button>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} />}
          onClick={csv}
          disabled={isEmpty(rows)}
        >
          CSV
        </Button>
        {view === 'chart' && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} />}
            onClick={png}
            disabled={isEmpty(rows)}
          >
            PNG
          </Button>
        )}
      </Group>
      <Collapse expanded={sqlShown}>
        <Stack gap="xs">
          <Code
            block
            tabIndex={0}
            role="region"
            aria-label={`The SQL of ${insight.title}`}
            mah={320}
            style={{ overflow: 'auto' }}
          >
            {sql}
          </Code>
          <Group gap="xs">
            <CopyButton text={sql} label="Copy the SQL" />
            <ButtonLink size="xs" variant="default" to="/sql" search={{ sql }}>
              Open in SQL
            </ButtonLink>
          </Group>
        </Stack>
      </Collapse>
    </Stack>
  );
}

function Picture({ answer: { insight, rows } }: { readonly answer: Result }) {
  const panels = useMemo(() => panelsOf(insight.columns, rows), [insight, rows]);
  if (insight.kind === 'heat-map') {
    return <HeatMapPlot map={heatMapOf(insight.columns, rows)} label={labelOf(insight)} />;
  }
  return (
    <Stack gap="md">
      {panels.map((panel) => (
        <div key={panel.title}>
          {(panels.length > 1 || panel.unit !== null) && (
            <Text size="xs" c="dimmed">
              {panel.title}
              {panel.unit !== null && ` (${panel.unit})`}
            </Text>
          )}
          <Plot kind={insight.kind as PlotKind} panel={panel} label={`${labelOf(insight)} ${panel.title}`} />
        </div>
      ))}
    </Stack>
  );
}

const labelOf = ({ title }: Insight): string => `${title}, as a picture; the table has the same numbers.`;
