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
import { insightsSearch } from './pages/insights/insights-search.ts';
import { schemaSearch } from './pages/schema/schema-search.ts';
import { signInSearch } from './pages/sign-in/sign-in-search.ts';
import { sqlSearch } from './pages/sql/sql-search.ts';
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

const insights = createRoute({
  getParentRoute: () => shell,
  path: '/insights',
  validateSearch: insightsSearch,
  component: lazyRouteComponent(() => import('./pages/insights/insights-page.tsx'), 'InsightsPage'),
});

const schema = createRoute({
  getParentRoute: () => shell,
  path: '/schema',
  validateSearch: schemaSearch,
  component: lazyRouteComponent(() => import('./pages/schema/schema-page.tsx'), 'SchemaPage'),
});

const schemaTable = createRoute({
  getParentRoute: () => shell,
  path: '/schema/$table',
  component: lazyRouteComponent(() => import('./pages/schema/table-page.tsx'), 'TablePage'),
});

const sql = createRoute({
  getParentRoute: () => shell,
  path: '/sql',
  validateSearch: sqlSearch,
  component: lazyRouteComponent(() => import('./pages/sql/sql-page.tsx'), 'SqlPage'),
});

const users = createRoute({
  getParentRoute: () => shell,
  path: '/users',
  component: lazyRouteComponent(() => import('./pages/users/users-page.tsx'), 'UsersPage'),
});

const tokens = createRoute({
  getParentRoute: () => shell,
  path: '/tokens',
  component: lazyRouteComponent(() => import('./pages/tokens/tokens-page.tsx'), 'TokensPage'),
});

const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit',
  component: lazyRouteComponent(() => import('./pages/audit/audit-page.tsx'), 'AuditPage'),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: signInSearch,
  component: lazyRouteComponent(() => import('./pages/sign-in/sign-in-page.tsx'), 'SignInPage'),
});

const welcome = createRoute({
  getParentRoute: () => root,
  path: '/welcome',
  component: lazyRouteComponent(() => import('./pages/sign-in/set-password-page.tsx'), 'WelcomePage'),
});

const setPassword = createRoute({
  getParentRoute: () => root,
  path: '/set-password',
  component: lazyRouteComponent(() => import('./pages/sign-in/set-password-page.tsx'), 'SetPasswordPage'),
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
      insights,
      schema,
      schemaTable,
      sql,
      users,
      tokens,
      audit,
    ]),
    signIn,
    welcome,
    setPassword,
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
