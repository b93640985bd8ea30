/** Insights: every chart there is, over the projects and the time that the filters name. */
import { SimpleGrid } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useRead } from '../../api.ts';
import { EmptyState } from '../../parts/empty-state.tsx';
import { IconChart } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { ChartCard } from './chart-card.tsx';
import { Filters } from './filters.tsx';
import type { InsightsSearch } from './insights-search.ts';

export function InsightsPage() {
  const filters: InsightsSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = useCallback(
    (next: InsightsSearch) => void navigate({ to: '/insights', search: next, replace: true }),
    [navigate],
  );
  const insights = useRead('insights.list', {});
  return (
    <>
      <PageTitle
        title="Insights"
        about="What the warehouse says, over one project, some, or all. Each chart shows the SQL it is made of."
      />
      <Filters shown={filters} onChange={change} />
      <Loaded of={insights} what="The insights">
        {({ insights: list }) =>
          list.length === 0 ? (
            <EmptyState title="There is no chart" icon={<IconChart size={28} />} />
          ) : (
            <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg" mt="lg">
              {list.map((insight) => (
                <ChartCard key={insight.id} insight={insight} filters={filters} />
              ))}
            </SimpleGrid>
          )
        }
      </Loaded>
    </>
  );
}
