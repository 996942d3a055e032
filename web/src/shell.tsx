// What surrounds every screen: the site's name, the state of the connection,
// the way to the other screens, and words for those who cannot see them.

import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { age } from './format';
import { t } from './i18n';
import { Icon, Logo, type IconName } from './parts/icons';
import { NameDialog } from './parts/name';
import { route, type Screen } from './router';
import { ActionsScreen } from './screens/actions';
import { AlertsScreen } from './screens/alerts';
import { DeviceScreen } from './screens/device';
import { DiscoveredScreen } from './screens/discovered';
import { Overview } from './screens/overview';
import { ProgramsScreen } from './screens/programs';
import { alerts, isActive, link, notice, now, site, topics } from './store';
import { nextTheme, theme } from './theme';

const TABS: { screen: Exclude<Screen, 'device'>; icon: IconName }[] = [
  { screen: 'overview', icon: 'overview' },
  { screen: 'alerts', icon: 'alerts' },
  { screen: 'actions', icon: 'actions' },
  { screen: 'programs', icon: 'programs' },
  { screen: 'discovered', icon: 'discovered' },
];

export function Shell() {
  const { screen, name } = route.value;
  const state = link.value.state;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${screen === 'device' ? name : t.nav[screen]} · ${site.value?.name ?? 'sedge'}`;
  }, [screen, name, site.value]);
  useEffect(() => {
    // A new screen begins at its top, for eyes and for screen readers.
    if (first.current) first.current = false;
    else {
      window.scrollTo(0, 0);
      main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    }
  }, [screen, name]);
  return (
    <div class={`shell link-${state}`}>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>{t.skip}</a>
      <Header />
      <Notices />
      <main id="main" ref={main} tabIndex={-1}>
        <CurrentScreen />
      </main>
      <NameDialog />
      <Announcer />
    </div>
  );
}

function CurrentScreen() {
  const known = site.value;
  const { screen, name } = route.value;
  if (!known) return <p class="empty loading">{t.loading}</p>;
  switch (screen) {
    case 'overview': return <Overview site={known} />;
    case 'device': return <DeviceScreen site={known} name={name} />;
    case 'alerts': return <AlertsScreen />;
    case 'actions': return <ActionsScreen />;
    case 'programs': return <ProgramsScreen name={name} />;
    case 'discovered': return <DiscoveredScreen site={known} />;
  }
}

function Header() {
  return (
    <header class="top">
      <a class="home" href="#/">
        <Logo />
        <span class="site-name">{site.value?.name ?? 'sedge'}</span>
      </a>
      <Tabs />
      <LinkState />
      <button type="button" class="theme" title={t.theme.label(t.theme[theme.value])} aria-label={t.theme.label(t.theme[theme.value])} onClick={nextTheme}>
        <Icon name={theme.value} />
      </button>
    </header>
  );
}

function Tabs() {
  const current = route.value.screen === 'device' ? 'overview' : route.value.screen;
  return (
    <nav class="tabs" aria-label={t.nav.label}>
      {TABS.map(({ screen, icon }) => (
        <a key={screen} href={screen === 'overview' ? '#/' : `#/${screen}`} aria-current={current === screen ? 'page' : undefined}>
          <Icon name={icon} />
          <span>{t.nav[screen]}</span>
          {screen === 'alerts' && <AlertCount />}
          {screen === 'discovered' && topics.value.length > 0 && <span class="count">{topics.value.length}</span>}
        </a>
      ))}
    </nav>
  );
}

function AlertCount() {
  const active = useComputed(() => alerts.value.filter(isActive)).value;
  if (active.length === 0) return null;
  const severity = (['critical', 'warning', 'info'] as const).find((s) => active.some((a) => a.severity === s)) ?? 'info';
  const waiting = active.some((a) => a.state === 'unacknowledged');
  return <span class={`count ${severity} ${waiting ? 'waiting' : ''}`}>{active.length}</span>;
}

function LinkState() {
  const { state, since_ms } = link.value;
  // The reader's own clock: the server's is not known while it is away.
  void now.value;
  const text = state === 'lost' ? t.link.lost(age(Date.now() - since_ms)) : t.link[state];
  return (
    <span class={`link-state ${state}`} role="status" aria-live="off">
      <i aria-hidden="true" />
      <span>{text}</span>
    </span>
  );
}

function Notices() {
  const known = site.value;
  const { state, since_ms } = link.value;
  void now.value;
  return (
    <div class="notices">
      {state === 'lost' && <p class="banner warning" role="status" aria-live="off"><Icon name="clock" /> {t.link.lostLong(age(Date.now() - since_ms))}</p>}
      {known && !known.durable && (
        <p class="banner critical" role="alert"><Icon name="critical" /> {t.notDurable(known.durable_why ?? t.notDurableUnknown)}</p>
      )}
      {notice.value && <p class="banner info" role="status"><Icon name="info" /> {notice.value}</p>}
    </div>
  );
}

/** Reads new alerts aloud, once each; those that were there before the page are not news. */
function Announcer() {
  const said = useRef<number | null>(null);
  const text = useSignal('');
  const newest = useComputed(() => alerts.value.reduce((id, a) => Math.max(id, a.id), 0));
  useEffect(() => {
    if (!site.value) return;
    const id = newest.value;
    if (said.current !== null && id > said.current) {
      const alert = alerts.peek().find((a) => a.id === id);
      if (alert && isActive(alert)) text.value = t.alerts.announce(t.alerts.severity[alert.severity], alert.text);
    }
    said.current = id;
  }, [newest.value, site.value]);
  return <div class="unseen" aria-live="assertive" data-announcer>{text}</div>;
}
