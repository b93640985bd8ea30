/** What stands in the navigation, in this order. A page is added here and in `router.tsx`. */
import type { ComponentType } from 'react';
import { IconPlug, type IconProps } from '../parts/icons.tsx';

export interface NavigationEntry {
  readonly to: string;
  readonly label: string;
  readonly icon: ComponentType<IconProps>;
}

export const NAVIGATION: readonly NavigationEntry[] = [{ to: '/connections', label: 'Connections', icon: IconPlug }];
