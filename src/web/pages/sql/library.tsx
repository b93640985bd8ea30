/** Queries to begin with: examples, saved ones, and what one asked before. */
import { ActionIcon, Button, Group, Modal, Paper, Stack, Tabs, Text, TextInput, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState, type SyntheticEvent } from 'react';
import { useChange, useRead } from '../../api.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconTrash } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { counted } from '../../parts/words.ts';
import classes from './sql.module.css';

interface LibraryProps {
  readonly onChoose: (sql: string) => void;
}

export function Library({ onChoose }: LibraryProps) {
  const saved = useRead('queries.list', {});
  const past = useRead('queries.history', {});
  return (
    <Paper withBorder p="sm" component="section" aria-label="Queries to begin with">
      <Tabs defaultValue="examples" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="examples">Examples</Tabs.Tab>
          <Tabs.Tab value="saved">Saved</Tabs.Tab>
          <Tabs.Tab value="history">History</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="examples" pt="xs">
          <Loaded of={saved} what="The examples">
            {({ examples }) => (
              <Entries>
                {examples.map(({ id, name, description, sql }) => (
                  <li key={id}>
                    <Entry title={name} below={description} onChoose={() => onChoose(sql)} />
                  </li>
                ))}
              </Entries>
            )}
          </Loaded>
        </Tabs.Panel>
        <Tabs.Panel value="saved" pt="xs">
          <Loaded of={saved} what="The saved queries">
            {({ queries }) =>
              queries.length === 0 ? (
                <Nothing>No query is saved yet. What is saved can be seen by everybody who may query.</Nothing>
              ) : (
                <Entries>
                  {queries.map((query) => (
                    <Saved key={query.id} query={query} onChoose={onChoose} />
                  ))}
                </Entries>
              )
            }
          </Loaded>
        </Tabs.Panel>
        <Tabs.Panel value="history" pt="xs">
          <Loaded of={past} what="The history">
            {({ queries }) =>
              queries.length === 0 ? (
                <Nothing>What you run is kept here, for you alone.</Nothing>
              ) : (
                <Entries>
                  {queries.map(({ id, sql, started_at, rows, error }) => (
                    <li key={id}>
                      <UnstyledButton className={classes['entry']} onClick={() => onChoose(sql)}>
                        <span className={classes['snippet']}>{sql.replace(/\s+/g, ' ')}</span>
                        <Text span size="xs" c={error ? 'red' : 'dimmed'}>
                          <Moment at={started_at} />, {error ? 'failed' : counted(rows ?? 0, 'row')}
                        </Text>
                      </UnstyledButton>
                    </li>
                  ))}
                </Entries>
              )
            }
          </Loaded>
        </Tabs.Panel>
      </Tabs>
    </Paper>
  );
}

function Entries({ children }: { readonly children: React.ReactNode }) {
  return <ul style={{ listStyle: 'none', margin: 0, padding: 0, maxHeight: 420, overflowY: 'auto' }}>{children}</ul>;
}

function Nothing({ children }: { readonly children: React.ReactNode }) {
  return (
    <Text size="sm" c="dimmed" p="sm">
      {children}
    </Text>
  );
}

interface EntryProps {
  readonly title: string;
  readonly below: string;
  readonly onChoose: () => void;
}

function Entry({ title, below, onChoose }: EntryProps) {
  return (
    <UnstyledButton className={classes['entry']} onClick={onChoose}>
      <Text span size="sm" fw={500} dir="auto" style={{ display: 'block' }}>
        {title}
      </Text>
      <Text span size="xs" c="dimmed">
        {below}
      </Text>
    </UnstyledButton>
  );
}

interface SavedProps {
  readonly query: { readonly id: number; readonly name: string; readonly sql: string; readonly created_by: string };
  readonly onChoose: (sql: string) => void;
}

function Saved({ query: { id, name, sql, created_by }, onChoose }: SavedProps) {
  const remove = useChange('queries.delete');
  return (
    <li>
      <Group wrap="nowrap" gap="xs">
        <div style={{ flex: 1, minWidth: 0 }}>
          <Entry title={name} below={`saved by ${created_by}`} onChoose={() => onChoose(sql)} />
        </div>
        <ActionIcon
          variant="subtle"
          color="red"
          aria-label={`Delete the query ${name}`}
          loading={remove.isPending}
          onClick={() => remove.mutate({ id })}
        >
          <IconTrash size={16} />
        </ActionIcon>
      </Group>
      {remove.isError && <ErrorNotice error={remove.error} title="The query was not deleted" />}
    </li>
  );
}

/** Asks for a name, and saves. */
export function SaveButton({ sql }: { readonly sql: string }) {
  const [opened, { open, close }] = useDisclosure(false);
  const [name, setName] = useState('');
  const save = useChange('queries.save');
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    save.mutate(
      { name, sql },
      {
        onSuccess: () => {
          setName('');
          close();
        },
      },
    );
  };
  return (
    <>
      <Button variant="default" onClick={open} disabled={sql.trim() === ''}>
        Save
      </Button>
      <Modal opened={opened} onClose={close} title="Save this query" closeButtonProps={{ 'aria-label': 'Close' }}>
        <form onSubmit={submit}>
          <Stack>
            <TextInput
              label="Name"
              description="Everybody who may query sees it."
              value={name}
              maxLength={200}
              required
              data-autofocus
              onChange={({ currentTarget: { value } }) => setName(value)}
            />
            {save.isError && <ErrorNotice error={save.error} title="The query was not saved" />}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={save.isPending}>
                Save the query
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
