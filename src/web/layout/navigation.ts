/** What stands in the navigation, in this order. A page is added here and in `router.tsx`. */
import type { ComponentType } from 'react';
import { IconChart, IconCode, IconPlug, IconTable, type IconProps } from '../parts/icons.tsx';

export interface NavigationEntry {
  readonly to: string;
  readonly label: string;
  readonly icon: ComponentType<IconProps>;
}

export const NAVIGATION: readonly NavigationEntry[] = [
  { to: '/connections', label: 'Connections', icon: IconPlug },
  { to: '/insights', label: 'Insights', icon: IconChart },
  { to: '/schema', label: 'Schema', icon: IconTable },
  { to: '/sql', label: 'SQL', icon: IconCode },
];
