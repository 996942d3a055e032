// One key finds anything: a field, and below it what answers to it (the
// combobox pattern of ARIA: the focus stays in the field, arrows choose).

import { useComputed, useSignal } from '@preact/signals';
import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { helping, searching } from '../keys';
import { entriesOf, find, type Entry, type Kind } from '../search';
import { alerts, programs, site, topics } from '../store';
import { Dialog } from './dialog';
import { Icon, type IconName } from './icons';

const ICONS: Record<Kind, IconName> = {
  screen: 'overview', device: 'devices', property: 'history', command: 'actions', program: 'programs', rule: 'programs', alert: 'alerts', topic: 'discovered',
};

export function SearchButton() {
  return (
    <button type="button" class="search-button" aria-label={t.search.open} aria-keyshortcuts="/ Control+K" onClick={() => (searching.value = true)}>
      <Icon name="search" />
      <span class="wide">{t.search.open}</span>
      <kbd class="wide" aria-hidden="true">/</kbd>
    </button>
  );
}

export function SearchDialog() {
  return (
    <Dialog open={searching.value} onClose={() => (searching.value = false)} labelledBy="search-title" class="search">
      <Search />
    </Dialog>
  );
}

function Search() {
  const text = useSignal('');
  const chosen = useSignal(0);
  const list = useRef<HTMLUListElement>(null);
  const entries = useComputed(() => entriesOf({ site: site.value, programs: programs.value, alerts: alerts.value, topics: topics.value }));
  const found = useComputed(() => find(text.value, entries.value));
  const at = Math.min(chosen.value, found.value.length - 1);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  const open = (e: Entry | undefined) => {
    if (!e) return;
    searching.value = false;
    location.hash = e.href;
  };
  const onKey = (event: KeyboardEvent) => {
    const count = found.value.length;
    if (event.isComposing || count === 0) return;
    if (event.key === 'ArrowDown') chosen.value = (at + 1) % count;
    else if (event.key === 'ArrowUp') chosen.value = (at + count - 1) % count;
    else if (event.key === 'Enter') open(found.value[at]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <h2 id="search-title" class="unseen">{t.search.title}</h2>
      <div class="search-field">
        <Icon name="search" />
        <input
          type="text" role="combobox" data-autofocus autocomplete="off" spellcheck={false}
          aria-label={t.search.label} aria-expanded="true" aria-controls="search-list" aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? `found-${at}` : undefined}
          placeholder={t.search.hint} value={text.value} onKeyDown={onKey}
          onInput={(e) => { text.value = e.currentTarget.value; chosen.value = 0; }}
        />
      </div>
      <ul id="search-list" role="listbox" aria-label={t.search.title} ref={list}>
        {found.value.map((e, i) => (
          <li id={`found-${i}`} key={`${e.kind} ${e.href} ${e.title}`} role="option" aria-selected={i === at} data-kind={e.kind} onClick={() => open(e)} onPointerMove={() => (chosen.value = i)}>
            <Icon name={ICONS[e.kind]} />
            <span class="found"><b translate={e.kind === 'screen'}>{e.title}</b> <span class="faint" translate={e.kind === 'screen' || e.kind === 'alert'}>{e.detail}</span></span>
            <span class="faint kind">{t.search.kind[e.kind]}</span>
          </li>
        ))}
      </ul>
      <p class="faint keys" role="status">
        {found.value.length === 0 ? t.search.none(text.value) : text.value === '' ? t.search.keys : t.search.found(found.value.length)}
      </p>
    </>
  );
}

const KEYS: [string[], keyof typeof t.keys][] = [
  [['/', 'Ctrl+K'], 'search'],
  [['?'], 'help'],
  [['↑', '↓', '←', '→'], 'move'],
  [['Home', 'End'], 'ends'],
  [['Esc'], 'close'],
  [['←', '→', '−', '+', '0'], 'chart'],
  [['Ctrl+Enter'], 'send'],
];

/** All keys, for the help and for the settings. */
export function KeyList() {
  return (
    <dl class="facts keys-list">
      {KEYS.map(([keys, what]) => (
        <Fragment key={what}>
          <dt translate={false}>{keys.map((k) => <kbd key={k}>{k}</kbd>)}</dt>
          <dd>{t.keys[what]}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

export function HelpDialog() {
  return (
    <Dialog open={helping.value} onClose={() => (helping.value = false)} labelledBy="keys-title">
      <h2 id="keys-title">{t.keys.title}</h2>
      <KeyList />
      <div class="buttons"><button type="button" data-autofocus onClick={() => (helping.value = false)}>{t.close}</button></div>
    </Dialog>
  );
}
