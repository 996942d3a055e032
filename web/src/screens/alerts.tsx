// All alerts: those that need somebody, and those that are over.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getAlerts } from '../api';
import { t } from '../i18n';
import { AlertList } from '../parts/alertlist';
import { Me } from '../parts/name';
import { alerts, applyAlerts, isActive } from '../store';

const PAGE = 50;
const FETCH_MAX = 500;

export function AlertsScreen() {
  const shown = useSignal(PAGE);
  useEffect(() => {
    // What the store has stays if this fails; the feed's state says the rest.
    getAlerts('all', FETCH_MAX).then(applyAlerts, () => undefined);
  }, []);
  const active = alerts.value.filter(isActive);
  const past = alerts.value.filter((a) => !isActive(a));
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.alerts}</h1>
      <section class="panel" aria-labelledby="active">
        <h2 id="active">{t.alerts.active} <span class="count">{active.length}</span></h2>
        <AlertList alerts={active} empty={t.alerts.none} />
        <Me />
      </section>
      <section class="panel" aria-labelledby="history">
        <h2 id="history">{t.alerts.history}</h2>
        <AlertList alerts={past.slice(0, shown.value)} empty={t.alerts.noHistory} />
        {past.length > shown.value && (
          <button type="button" onClick={() => (shown.value += PAGE)}>{t.alerts.more}</button>
        )}
      </section>
    </>
  );
}
