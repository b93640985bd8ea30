/** Copies a text, and says so. */
import { Button, type ButtonProps } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from './icons.tsx';

export interface CopyButtonProps extends Pick<ButtonProps, 'size' | 'variant'> {
  readonly text: string;
  /** What is copied, for the label: "Copy the curl line". */
  readonly label?: string;
}

export function CopyButton({ text, label = 'Copy', size = 'xs', variant = 'default' }: CopyButtonProps) {
  const { copied, error, copy } = useClipboard({ timeout: 2_000 });
  return (
    <Button
      size={size}
      variant={variant}
      leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
      onClick={() => copy(text)}
    >
      <span aria-live="polite">{copied ? 'Copied' : error ? 'Select and copy by hand' : label}</span>
    </Button>
  );
}
