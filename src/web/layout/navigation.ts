/** What stands in the navigation, in this order. A page is added here and in `router.tsx`. */
import type { ComponentType } from 'react';
import {
  IconChart,
  IconCode,
  IconKey,
  IconList,
  IconPlug,
  IconTable,
  IconUsers,
  type IconProps,
} from '../parts/icons.tsx';

export interface NavigationEntry {
  readonly to: string;
  readonly label: string;
  readonly icon: ComponentType<IconProps>;
  /** For admins alone. */
  readonly admin?: boolean;
}

export const NAVIGATION: readonly NavigationEntry[] = [
  { to: '/connections', label: 'Connections', icon: IconPlug },
  { to: '/insights', label: 'Insights', icon: IconChart },
  { to: '/schema', label: 'Schema', icon: IconTable },
  { to: '/sql', label: 'SQL', icon: IconCode },
  { to: '/users', label: 'Users', icon: IconUsers, admin: true },
  { to: '/tokens', label: 'API tokens', icon: IconKey, admin: true },
  { to: '/audit', label: 'Audit', icon: IconList, admin: true },
];
