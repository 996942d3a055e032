// What surrounds every screen: the site's name, the state of the connection,
// the way to the other screens, and words for those who cannot see them.

import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { age } from './format';
import { chooseLanguage, otherLanguage, t } from './i18n';
import { PLACES, placeOf } from './nav';
import { Icon, Logo } from './parts/icons';
import { NameDialog } from './parts/name';
import { HelpDialog, SearchButton, SearchDialog } from './parts/search';
import { ShelveDialog } from './parts/shelve';
import { route, toScreen, type Screen } from './router';
import { ActionsScreen } from './screens/actions';
import { AdoptScreen } from './screens/adopt';
import { AlertsScreen } from './screens/alerts';
import { ConnectionsScreen } from './screens/connections';
import { DeviceScreen } from './screens/device';
import { DevicesScreen } from './screens/devices';
import { DiscoveredScreen } from './screens/discovered';
import { HistoryScreen } from './screens/history';
import { MoreScreen } from './screens/more';
import { Overview } from './screens/overview';
import { ProgramScreen } from './screens/program';
import { ProgramsScreen } from './screens/programs';
import { SettingsScreen } from './screens/settings';
import { alertText } from './said';
import { adoptable, alerts, isActive, link, notice, now, site } from './store';
import { nextTheme, theme } from './theme';

/** With one of these an address names a place within its screen, and that has the focus. */
const PLACES_WITHIN = ['property', 'command', 'alert', 'line'];

/** What a tab of the browser is called. */
function titleOf(screen: Screen, name: string): string {
  const what = name && (screen === 'device' || screen === 'program' || screen === 'adopt') ? name : t.nav[screen === 'program' ? 'programs' : screen];
  return `${what} · ${site.value?.name ?? 'sedge'}`;
}

export function Shell() {
  const { screen, name } = route.value;
  const state = link.value.state;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const title = titleOf(screen, name);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    // A new screen begins at its top, for eyes and for screen readers.
    const { query } = route.peek();
    if (first.current) first.current = false;
    else if (!PLACES_WITHIN.some((key) => query.has(key))) {
      window.scrollTo(0, 0);
      main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    }
  }, [screen, name]);
  return (
    <div class={`shell link-${state}`}>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>{t.skip}</a>
      <Header />
      <Rail />
      <div class="content">
        <Notices />
        <main id="main" ref={main} tabIndex={-1}>
          <CurrentScreen />
        </main>
      </div>
      <SearchDialog />
      <HelpDialog />
      <NameDialog />
      <ShelveDialog />
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
    case 'devices': return <DevicesScreen site={known} />;
    case 'device': return <DeviceScreen site={known} name={name} />;
    case 'alerts': return <AlertsScreen />;
    case 'actions': return <ActionsScreen />;
    case 'programs': return <ProgramsScreen />;
    case 'program': return <ProgramScreen name={name} />;
    case 'history': return <HistoryScreen site={known} />;
    case 'discovered': return <DiscoveredScreen />;
    case 'adopt': return <AdoptScreen key={name} topic={name} />;
    case 'connections': return <ConnectionsScreen />;
    case 'settings': return <SettingsScreen site={known} />;
    case 'more': return <MoreScreen />;
  }
}

function Header() {
  return (
    <header class="top">
      <a class="home" href="#/">
        <Logo />
        <span class="site-name" translate={false}>{site.value?.name ?? 'sedge'}</span>
      </a>
      <SearchButton />
      <LinkState />
      <button type="button" class="plain language" aria-label={t.switchLanguage} title={t.switchLanguage} onClick={() => chooseLanguage(otherLanguage())}>
        <span aria-hidden="true">{otherLanguage() === 'zh' ? '中' : 'EN'}</span>
      </button>
      <button type="button" class="plain theme" title={t.theme.label(t.theme[theme.value])} aria-label={t.theme.label(t.theme[theme.value])} onClick={nextTheme}>
        <Icon name={theme.value} />
      </button>
    </header>
  );
}

/** The way to the screens: beside them, or below them on a phone. */
function Rail() {
  const current = placeOf(route.value.screen);
  const hidden = PLACES.some((p) => p.screen === current && !p.first) || current === 'more';
  return (
    <nav class="rail" aria-label={t.nav.label}>
      <div class="rail-items" data-arrows="y">
        {PLACES.map(({ screen, icon, first }) => (
          <a key={screen} class={first ? '' : 'later'} href={toScreen(screen)} aria-current={current === screen ? 'page' : undefined}>
            <Icon name={icon} />
            <span>{t.nav[screen]}</span>
            {screen === 'alerts' && <AlertCount />}
            {screen === 'discovered' && adoptable.value.length > 0 && <span class="count">{adoptable.value.length}</span>}
          </a>
        ))}
        <a class="more" href="#/more" aria-current={hidden ? 'page' : undefined}>
          <Icon name="more" />
          <span>{t.nav.more}</span>
        </a>
      </div>
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

/** Reads new alerts aloud, once each; those that were there before the page are not news.  Only a critical one interrupts. */
function Announcer() {
  const said = useRef<number | null>(null);
  const calm = useSignal('');
  const urgent = useSignal('');
  const newest = useComputed(() => alerts.value.reduce((id, a) => Math.max(id, a.id), 0));
  useEffect(() => {
    if (!site.value) return;
    const id = newest.value;
    if (said.current !== null && id > said.current) {
      const alert = alerts.peek().find((a) => a.id === id);
      const region = alert?.severity === 'critical' ? urgent : calm;
      if (alert && isActive(alert)) region.value = t.alerts.announce(t.alerts.severity[alert.severity], alertText(alert));
    }
    said.current = id;
  }, [newest.value, site.value]);
  return (
    <>
      <div class="unseen" aria-live="polite" data-announcer translate={false}>{calm}</div>
      <div class="unseen" aria-live="assertive" data-announcer translate={false}>{urgent}</div>
    </>
  );
}
