/** A page's heading: also the document's title. What can be done on the page stands at the right. */
import { Box, Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

export interface PageTitleProps {
  readonly title: string;
  /** One line below. */
  readonly about?: ReactNode;
  /** Beside the heading, such as a badge. */
  readonly beside?: ReactNode;
  /** Buttons, top right. */
  readonly actions?: ReactNode;
}

export function PageTitle({ title, about, beside, actions }: PageTitleProps) {
  return (
    <Group justify="space-between" align="flex-start" mb="lg" gap="md">
      <title>{`${title} · Soundings`}</title>
      <Box style={{ minWidth: 0, flex: '1 1 20rem' }}>
        <Group gap="sm">
          <Title order={1} size="h2" dir="auto" lineClamp={2} title={title}>
            {title}
          </Title>
          {beside}
        </Group>
        {about !== undefined && (
          <Text c="dimmed" size="sm" mt={4}>
            {about}
          </Text>
        )}
      </Box>
      {actions !== undefined && <Group gap="sm">{actions}</Group>}
    </Group>
  );
}
