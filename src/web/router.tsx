/** Every page and its address. Each page is a file of its own, loaded when it is first opened. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { NoSuchPage, PageFailure } from './layout/failures.tsx';
import { Layout } from './layout/layout.tsx';
import { projectsSearch } from './pages/connection/projects-search.ts';
import { runsSearch } from './pages/connection/runs-search.ts';
import { Waiting } from './parts/loaded.tsx';

const root = createRootRoute({ component: Outlet });

/** Pages inside the frame. */
const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Layout });

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    redirect({ to: '/connections', replace: true, throw: true });
  },
});

const connections = createRoute({
  getParentRoute: () => shell,
  path: '/connections',
  component: lazyRouteComponent(() => import('./pages/connections/connections-page.tsx'), 'ConnectionsPage'),
});

const connection = createRoute({
  getParentRoute: () => shell,
  path: '/connections/$id',
  component: lazyRouteComponent(() => import('./pages/connection/connection-page.tsx'), 'ConnectionPage'),
});

const connectionOverview = createRoute({
  getParentRoute: () => connection,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/connection/overview-page.tsx'), 'OverviewPage'),
});

const connectionProjects = createRoute({
  getParentRoute: () => connection,
  path: '/projects',
  validateSearch: projectsSearch,
  component: lazyRouteComponent(() => import('./pages/connection/projects-page.tsx'), 'ProjectsPage'),
});

const connectionRuns = createRoute({
  getParentRoute: () => connection,
  path: '/runs',
  validateSearch: runsSearch,
  component: lazyRouteComponent(() => import('./pages/connection/runs-page.tsx'), 'RunsPage'),
});

const connectionRun = createRoute({
  getParentRoute: () => connection,
  path: '/runs/$run',
  component: lazyRouteComponent(() => import('./pages/connection/run-page.tsx'), 'RunPage'),
});

const connectionSettings = createRoute({
  getParentRoute: () => connection,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/connection/settings-page.tsx'), 'SettingsPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    shell.addChildren([
      home,
      connections,
      connection.addChildren([
        connectionOverview,
        connectionProjects,
        connectionRuns,
        connectionRun,
        connectionSettings,
      ]),
    ]),
  ]),
  defaultErrorComponent: PageFailure,
  defaultNotFoundComponent: NoSuchPage,
  defaultPendingComponent: Waiting,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
