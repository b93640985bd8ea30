/** The settings of a connection. They are verified with its credentials before they are stored. */
import { Alert, Button, Group, NumberInput, PasswordInput, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useChange } from '../../api.ts';
import { IconInfo } from '../../parts/icons.tsx';
import { ScheduleField } from './schedule-field.tsx';
import { Section } from './section.tsx';
import { changeOf, isChanged, needsToken, valuesOf, type Values } from './settings-values.ts';
import { CONNECTION_FAMILIES, type ConnectionInfo } from './use-connection.ts';
import { ChangeFailure, fieldError } from './verification.tsx';

export function SettingsForm({ connection }: { readonly connection: ConnectionInfo }) {
  const stored = valuesOf(connection);
  const [base, setBase] = useState(stored);
  const [values, setValues] = useState(base);
  const [saved, setSaved] = useState(false);
  const update = useChange('connections.update', CONNECTION_FAMILIES);
  const changed = isChanged(base, values);
  const take = (): void => {
    setBase(stored);
    setValues(stored);
  };
  // changed in another window, and nothing is entered here: show what it is now
  if (isChanged(stored, base) && !changed) take();

  const set = (part: Partial<Values>): void => {
    setValues((before) => ({ ...before, ...part }));
    setSaved(false);
  };
  const save = async (): Promise<void> => {
    const { connection: now } = await update.mutateAsync(changeOf(connection.id, base, values));
    setBase(valuesOf(now));
    setValues(valuesOf(now));
    setSaved(true);
  };
  const text = (field: Exclude<keyof Values, 'access' | 'listed_endpoints_only'>) => ({
    value: values[field],
    error: fieldError(update.error, `settings.${field}`),
    onChange: (event: { currentTarget: { value: string } }) => set({ [field]: event.currentTarget.value }),
  });
  const token = needsToken(base, values);
  const sample = connection.settings['sample'] === true;

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save().catch(() => undefined); // shown below
      }}
    >
      <Section
        title="Settings"
        about="Changes are tried on the server with the stored credentials, and stored only when they work."
      >
        {isChanged(stored, base) && changed && (
          <Alert color="orange" variant="light" icon={<IconInfo />} title="Changed elsewhere meanwhile">
            <Group justify="space-between">
              <span>Saving changes only the fields that you edited here.</span>
              <Button size="xs" variant="default" onClick={take}>
                Show what it is now
              </Button>
            </Group>
          </Alert>
        )}
        <TextInput
          label="Name"
          required
          maxLength={200}
          dir="auto"
          {...text('name')}
          error={fieldError(update.error, 'name')}
        />
        <ScheduleField
          value={values.schedule}
          error={fieldError(update.error, 'settings.schedule')}
          onChange={(schedule) => set({ schedule })}
        />
        {!sample && (
          <>
            <ServerFields text={text} token={token} values={values} set={set} error={update.error} />
            <ChoiceFields text={text} values={values} set={set} error={update.error} />
          </>
        )}
        {update.isError && <ChangeFailure error={update.error} title="The settings were not stored" />}
        <Group>
          <Button
            type="submit"
            disabled={!changed || (token && values.api_token.trim() === '')}
            loading={update.isPending}
          >
            Verify and save
          </Button>
          <Button variant="default" disabled={!changed || update.isPending} onClick={take}>
            Undo
          </Button>
          <span role="status">{saved && !changed ? 'Saved.' : update.isPending ? 'The server is asked …' : ''}</span>
        </Group>
      </Section>
    </form>
  );
}

interface FieldsProps {
  readonly text: (field: Exclude<keyof Values, 'access' | 'listed_endpoints_only'>) => {
    value: string;
    error: string | undefined;
    onChange: (event: { currentTarget: { value: string } }) => void;
  };
  readonly values: Values;
  readonly set: (part: Partial<Values>) => void;
  readonly error: unknown;
}

/** Where the server is, and the way to it. */
function ServerFields({ text, token, values, set, error }: FieldsProps & { readonly token: boolean }): ReactNode {
  return (
    <>
      <TextInput
        label="Base URL"
        required
        type="url"
        description="With the context path, without /api"
        {...text('base_url')}
      />
      <TextInput label="Proxy" placeholder="http://proxy.example.com:3128" {...text('proxy_url')} />
      <Textarea
        label="Certificate authority"
        description="PEM, trusted beside the known ones"
        autosize
        minRows={1}
        maxRows={8}
        spellCheck={false}
        {...text('ca_certificate')}
      />
      <Textarea
        label="Client certificate"
        description="PEM, shown to the server"
        autosize
        minRows={1}
        maxRows={8}
        spellCheck={false}
        {...text('client_certificate')}
      />
      {values.client_certificate.trim() !== '' && (
        <Textarea
          label="Key of the client certificate"
          description="PEM without a passphrase; leave it empty to keep the stored one"
          autosize
          minRows={1}
          maxRows={8}
          spellCheck={false}
          autoComplete="off"
          {...text('client_key')}
          error={fieldError(error, 'secrets.client_key')}
        />
      )}
      {token && (
        <PasswordInput
          label="Token, entered again"
          required
          autoComplete="off"
          description="A stored token is only sent where it was entered for: enter it for the new address, proxy or authority"
          value={values.api_token}
          error={fieldError(error, 'secrets.api_token')}
          onChange={(event) => set({ api_token: event.currentTarget.value })}
        />
      )}
    </>
  );
}

/** What of the server is read, and how hard. */
function ChoiceFields({ text, values, set, error }: FieldsProps): ReactNode {
  const number = (field: 'max_concurrency' | 'audit_hours') => ({
    value: values[field],
    error: fieldError(error, `settings.${field}`),
    onChange: (value: string | number) => set({ [field]: String(value) }),
  });
  return (
    <>
      <Group grow align="flex-start" preventGrowOverflow={false} wrap="wrap">
        <Textarea
          label="Only projects whose key matches"
          description="One pattern per line; * and ? stand for anything"
          autosize
          minRows={2}
          maxRows={8}
          spellCheck={false}
          {...text('include')}
        />
        <Textarea
          label="No projects whose key matches"
          description="One pattern per line"
          autosize
          minRows={2}
          maxRows={8}
          spellCheck={false}
          {...text('exclude')}
        />
      </Group>
      <Select
        label="Access"
        allowDeselect={false}
        data={[
          { value: 'admin', label: 'The token may list all projects (Administer System)' },
          { value: 'browse', label: 'The token may browse projects' },
        ]}
        value={values.access}
        error={fieldError(error, 'settings.access')}
        onChange={(access) => set({ access: access === 'browse' ? 'browse' : 'admin' })}
      />
      {values.access === 'browse' && (
        <Textarea
          label="Projects"
          description="Keys, one per line; without them the server is asked for a list"
          autosize
          minRows={2}
          maxRows={12}
          spellCheck={false}
          {...text('projects')}
        />
      )}
      <Group grow align="flex-start" preventGrowOverflow={false} wrap="wrap">
        <NumberInput
          label="Requests at once, at most"
          description="Fewer are made when the server slows down"
          placeholder="8"
          min={1}
          max={64}
          allowDecimal={false}
          {...number('max_concurrency')}
        />
        <NumberInput
          label="Look again after (hours)"
          description="For what no date shows; 0: never"
          placeholder="24"
          min={0}
          max={87_600}
          {...number('audit_hours')}
        />
      </Group>
      <Switch
        label="Ask only the documented endpoints"
        description="Never system/status, not even to explain a failure"
        checked={values.listed_endpoints_only}
        onChange={(event) => set({ listed_endpoints_only: event.currentTarget.checked })}
      />
    </>
  );
}
