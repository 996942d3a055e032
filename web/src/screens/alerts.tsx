// Alerts in three lists: those that need somebody, those put aside for a
// while, and those that are over.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getAlerts, type Alert } from '../api';
import { t } from '../i18n';
import { AlertList } from '../parts/alertlist';
import { Me } from '../parts/name';
import { Tabs } from '../parts/tabs';
import { route, setQuery } from '../router';
import { alertText } from '../said';
import { alerts, applyAlerts, isActive, isOver, isShelved } from '../store';

const PAGE = 50;
const FETCH_MAX = 500;

type List = 'active' | 'shelved' | 'history';
const isList = (x: string | null): x is List => x === 'active' || x === 'shelved' || x === 'history';

const listOf = (a: Alert): List => (isShelved(a) ? 'shelved' : isOver(a) ? 'history' : 'active');

/** The list that the address names, or that has the alert it names. */
function wanted(query: URLSearchParams, all: Alert[]): List {
  const list = query.get('list');
  if (isList(list)) return list;
  const alert = all.find((a) => String(a.id) === query.get('alert'));
  return alert ? listOf(alert) : 'active';
}

export function AlertsScreen() {
  const shown = useSignal(PAGE);
  const filter = useSignal('');
  useEffect(() => {
    // What the store has stays if this fails; the feed's state says the rest.
    getAlerts('all', FETCH_MAX).then(applyAlerts, () => undefined);
  }, []);
  const { query } = route.value;
  const sought = query.get('alert');
  const known = alerts.value.some((a) => String(a.id) === sought);
  useEffect(() => {
    if (sought && known) document.querySelector<HTMLElement>(`[data-alert="${CSS.escape(sought)}"]`)?.focus();
  }, [sought, known]);
  const lists: Record<List, Alert[]> = {
    active: alerts.value.filter(isActive),
    shelved: alerts.value.filter(isShelved),
    history: alerts.value.filter((a) => isOver(a) && !isShelved(a)),
  };
  const list = wanted(query, alerts.value);
  const text = filter.value.toLowerCase();
  const matching = lists[list].filter((a) => alertText(a).toLowerCase().includes(text));
  const empty = text ? t.alerts.noMatch : { active: t.alerts.none, shelved: t.alerts.noShelved, history: t.alerts.noHistory }[list];
  return (
    <>
      <header class="title">
        <h1 tabIndex={-1}>{t.nav.alerts}</h1>
        <input class="filter" type="search" value={filter.value} placeholder={t.alerts.filter} aria-label={t.alerts.filter} onInput={(e) => (filter.value = e.currentTarget.value)} />
      </header>
      <Tabs
        label={t.alerts.tabs}
        tabs={(['active', 'shelved', 'history'] as const).map((id) => ({ id, name: t.alerts[id], count: id === 'history' ? null : lists[id].length }))}
        chosen={list}
        onChoose={(id) => setQuery({ list: id === 'active' ? null : id, alert: null })}
      >
        <AlertList alerts={matching.slice(0, shown.value)} empty={empty} />
        {matching.length > shown.value && <button type="button" onClick={() => (shown.value += PAGE)}>{t.alerts.more}</button>}
        <Me />
      </Tabs>
    </>
  );
}
