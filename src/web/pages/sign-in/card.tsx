/** The frame of the pages before the sign-in: no navigation, one thing to do. */
import { Box, Center, Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { ColorScheme } from '../../layout/color-scheme.tsx';
import { Logo } from '../../layout/logo.tsx';

export function Card({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Box component="main" p="md">
      <title>{`${title} · Soundings`}</title>
      <Group justify="flex-end">
        <ColorScheme />
      </Group>
      <Center pt={{ base: 'md', sm: '10vh' }}>
        <Paper withBorder p="xl" radius="md" w="100%" maw={440}>
          <Stack>
            <Group gap="sm">
              <Logo />
              <Text fw={700} size="lg">
                Soundings
              </Text>
            </Group>
            <Title order={1} size="h3">
              {title}
            </Title>
            {children}
          </Stack>
        </Paper>
      </Center>
    </Box>
  );
}
