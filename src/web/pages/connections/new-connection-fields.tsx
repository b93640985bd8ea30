/** The fields of a new connection: the two that everybody fills in, and the others. */
import { Alert, PasswordInput, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { IconKey } from '../../parts/icons.tsx';
import { fieldError } from '../connection/verification.tsx';
import type { Draft, Secrets } from './draft.ts';

export interface FieldsProps {
  readonly draft: Draft;
  readonly secrets: Secrets;
  readonly change: (part: Partial<Draft>) => void;
  readonly changeSecrets: (part: Partial<Secrets>) => void;
  /** What the API refused, shown at the field it is about. */
  readonly error: unknown;
}

export function ServerFields({ draft, secrets, change, changeSecrets, error }: FieldsProps) {
  return (
    <Stack>
      <TextInput
        label="Base URL"
        required
        data-autofocus
        placeholder="https://sonarqube.example.com"
        description="As in the browser's address line, with the context path if there is one"
        inputMode="url"
        autoComplete="off"
        spellCheck={false}
        value={draft.base_url}
        error={fieldError(error, 'settings.base_url')}
        onChange={(event) => change({ base_url: event.currentTarget.value })}
      />
      <Alert variant="light" color="gray" icon={<IconKey />} title="Where the token is made">
        In SonarQube, signed in as somebody who may administer the server: the picture at the top right, then{' '}
        <b>My Account &gt; Security</b>. Under <b>Generate Tokens</b> choose a name and the type <b>User</b>, and copy
        the token here: SonarQube shows it once.
      </Alert>
      <PasswordInput
        label="Token"
        required
        placeholder="squ_…"
        autoComplete="off"
        value={secrets.api_token}
        error={fieldError(error, 'secrets.api_token')}
        onChange={(event) => changeSecrets({ api_token: event.currentTarget.value })}
      />
    </Stack>
  );
}

export function AdvancedFields({ draft, secrets, change, changeSecrets, error }: FieldsProps) {
  return (
    <Stack>
      <TextInput
        label="Name"
        placeholder="The server's host"
        dir="auto"
        value={draft.name}
        error={fieldError(error, 'name')}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <Select
        label="Access"
        allowDeselect={false}
        data={[
          { value: 'admin', label: 'The token may list all projects (Administer System)' },
          { value: 'browse', label: 'The token may browse projects' },
        ]}
        value={draft.access}
        error={fieldError(error, 'settings.access')}
        onChange={(access) => change({ access: access === 'browse' ? 'browse' : 'admin' })}
      />
      {draft.access === 'browse' && (
        <Textarea
          label="Projects"
          description="Keys, one per line; without them the server is asked for a list"
          autosize
          minRows={2}
          maxRows={12}
          spellCheck={false}
          value={draft.projects}
          error={fieldError(error, 'settings.projects')}
          onChange={(event) => change({ projects: event.currentTarget.value })}
        />
      )}
      <TextInput
        label="Proxy"
        placeholder="http://proxy.example.com:3128"
        spellCheck={false}
        value={draft.proxy_url}
        error={fieldError(error, 'settings.proxy_url')}
        onChange={(event) => change({ proxy_url: event.currentTarget.value })}
      />
      <Pem
        label="Certificate authority"
        description="PEM, trusted beside the known ones"
        value={draft.ca_certificate}
        error={fieldError(error, 'settings.ca_certificate')}
        onChange={(value) => change({ ca_certificate: value })}
      />
      <Pem
        label="Client certificate"
        description="PEM, shown to the server"
        value={draft.client_certificate}
        error={fieldError(error, 'settings.client_certificate')}
        onChange={(value) => change({ client_certificate: value })}
      />
      {draft.client_certificate.trim() !== '' && (
        <Pem
          label="Key of the client certificate"
          description="PEM without a passphrase; it is stored sealed, as the token is"
          value={secrets.client_key}
          error={fieldError(error, 'secrets.client_key')}
          onChange={(value) => changeSecrets({ client_key: value })}
        />
      )}
    </Stack>
  );
}

interface PemProps {
  readonly label: string;
  readonly description: string;
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}

function Pem({ onChange, ...rest }: PemProps) {
  return (
    <Textarea
      autosize
      minRows={1}
      maxRows={8}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => onChange(event.currentTarget.value)}
      {...rest}
    />
  );
}
