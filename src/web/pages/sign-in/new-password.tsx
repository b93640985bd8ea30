/** A password to be, typed twice. */
import { PasswordInput } from '@mantine/core';
import { PASSWORD_LEAST } from '../../session.ts';

export interface Typed {
  readonly password: string;
  readonly again: string;
}

export const NOTHING_TYPED: Typed = { password: '', again: '' };

/** What is wrong with it; null when it can be sent. */
export const problemOf = ({ password, again }: Typed): string | null =>
  password.length < PASSWORD_LEAST
    ? `It needs ${PASSWORD_LEAST} characters at least.`
    : password === again
      ? null
      : 'The two differ.';

export interface NewPasswordProps {
  readonly typed: Typed;
  readonly onType: (typed: Typed) => void;
  /** Show what is wrong: somebody has tried to go on. */
  readonly tried: boolean;
}

export function NewPassword({ typed, onType, tried }: NewPasswordProps) {
  const short = typed.password.length < PASSWORD_LEAST;
  const problem = tried ? problemOf(typed) : null;
  return (
    <>
      <PasswordInput
        label="New password"
        description={`${PASSWORD_LEAST} characters at least; long ones that you can remember are best`}
        autoComplete="new-password"
        required
        maxLength={256}
        value={typed.password}
        error={short ? problem : null}
        onChange={(event) => onType({ ...typed, password: event.currentTarget.value })}
      />
      <PasswordInput
        label="The same again"
        autoComplete="new-password"
        required
        maxLength={256}
        value={typed.again}
        error={short ? null : problem}
        onChange={(event) => onType({ ...typed, again: event.currentTarget.value })}
      />
    </>
  );
}
