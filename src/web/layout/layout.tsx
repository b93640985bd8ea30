/** The frame around every page: navigation at the left (behind a button on a phone), the page, the way past both. */
import { AppShell, Burger, Group, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { useMay } from '../session.ts';
import { ColorScheme } from './color-scheme.tsx';
import classes from './layout.module.css';
import { Logo } from './logo.tsx';
import { NAVIGATION } from './navigation.ts';
import { SignedIn } from './signed-in.tsx';

// its menu costs 12 kB, which the first page need not wait for
const Account = lazy(() => import('./account.tsx').then((part) => ({ default: part.Account })));

export function Layout() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  const section = pathname.split('/')[1] ?? '';
  const isAdmin = useMay('admin');
  useFocusOnNewPage(section);

  return (
    <>
      <a href="#main" className="skip-link">
        Skip to the page
      </a>
      <AppShell
        header={{ height: 56 }}
        navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !opened } }}
        padding={{ base: 'md', sm: 'lg' }}
      >
        <AppShell.Header className={classes['header']}>
          <Group h="100%" px="md" justify="space-between" wrap="nowrap">
            <Group gap="sm" wrap="nowrap">
              <Burger
                opened={opened}
                onClick={toggle}
                hiddenFrom="sm"
                size="sm"
                aria-label={opened ? 'Close the navigation' : 'Open the navigation'}
              />
              <Link to="/" className={classes['brand']}>
                <Logo />
                <Text span fw={700} size="lg">
                  Soundings
                </Text>
              </Link>
            </Group>
            <Group gap="sm" wrap="nowrap">
              <Suspense fallback={null}>
                <Account />
              </Suspense>
              <ColorScheme />
            </Group>
          </Group>
        </AppShell.Header>
        <AppShell.Navbar p="sm" className={classes['navbar']} aria-label="Pages">
          {NAVIGATION.filter(({ admin = false }) => !admin || isAdmin).map(({ to, label, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              leftSection={<Icon />}
              active={isWithin(pathname, to)}
              aria-current={isWithin(pathname, to) ? 'page' : undefined}
              className={classes['link'] ?? ''}
              onClick={close}
            />
          ))}
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1} className={classes['main']}>
          <SignedIn>
            <Outlet />
          </SignedIn>
        </AppShell.Main>
      </AppShell>
    </>
  );
}

const isWithin = (pathname: string, to: string): boolean =>
  pathname === to || pathname.startsWith(`${to}/`) || (pathname === '/' && to === '/connections');

/** After a change of page, the keyboard and the screen reader begin at the new page, not where the old link was. */
function useFocusOnNewPage(section: string): void {
  const before = useRef(section);
  useEffect(() => {
    if (before.current === section) return;
    before.current = section;
    document.getElementById('main')?.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }, [section]);
}
