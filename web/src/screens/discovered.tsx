// What arrives and belongs to nobody, with its values over time, and what a
// device said that could not be read.

import { useSignal } from '@preact/signals';
import type { Field, Topic, Value } from '../api';
import { shown } from '../format';
import { t } from '../i18n';
import { refreshTopics } from '../live';
import { Icon } from '../parts/icons';
import { MiniChart } from '../parts/minichart';
import { usePolled } from '../parts/poll';
import { Tabs } from '../parts/tabs';
import { Ago } from '../parts/value';
import { route, setQuery, toAdopt, toDevice } from '../router';
import { topics, topicsDropped, unclaimed } from '../store';

const REFRESH_MS = 15_000;
const PAGE = 50;
const FIELDS_SHOWN = 8;
const VALUES = 16;

export function DiscoveredScreen() {
  const filter = useSignal('');
  const shown = useSignal(PAGE);
  // The feed brings what is new; this brings what was before, and what it missed.
  usePolled(() => refreshTopics(VALUES), REFRESH_MS);
  const unread = topics.value.filter((x) => x.error);
  const list = route.value.query.get('list') === 'unread' ? 'unread' : 'topics';
  const all = list === 'unread' ? unread : unclaimed.value;
  const text = filter.value.toLowerCase();
  const matching = all.filter((x) => x.topic.toLowerCase().includes(text));
  const d = t.discovered;
  return (
    <>
      <header class="title">
        <h1 tabIndex={-1}>{t.nav.discovered}</h1>
        <input class="filter" type="search" value={filter.value} placeholder={d.filter} aria-label={d.filter} onInput={(e) => (filter.value = e.currentTarget.value)} />
      </header>
      <Tabs
        label={t.nav.discovered}
        tabs={[{ id: 'topics', name: d.topics, count: unclaimed.value.length }, { id: 'unread', name: d.unread, count: unread.length }]}
        chosen={list}
        onChoose={(id) => setQuery({ list: id === 'unread' ? id : null })}
      >
        {all.length === 0 ? <p class="empty">{d.none}</p> : <p class="faint">{list === 'unread' ? d.unreadExplain : d.explain}</p>}
        {all.length > 0 && matching.length === 0 && <p class="empty">{d.noMatch}</p>}
        <ul class="topics" data-arrows="y">{matching.slice(0, shown.value).map((x) => <TopicItem key={x.topic} topic={x} />)}</ul>
        {matching.length > shown.value && <button type="button" onClick={() => (shown.value += PAGE)}>{t.alerts.more}</button>}
        {topicsDropped.value > 0 && <p class="faint">{d.dropped(topicsDropped.value)}</p>}
      </Tabs>
    </>
  );
}

function TopicItem({ topic: x }: { topic: Topic }) {
  const d = t.discovered;
  const adoptable = !x.device && !x.error && x.shape !== null;
  return (
    <li data-topic={x.topic} class={adoptable ? '' : 'not-adoptable'}>
      <div class="topic-head">
        <p class="text"><code translate={false}>{x.topic}</code> <span class="chip">{d.kind[x.kind]}</span></p>
        <p class="meta">
          <span>{d.count(x.count)}</span>
          <span><Ago ms={x.last_ms} /></span>
          {x.device && <a href={toDevice(x.device)} translate={false}>{x.device}</a>}
        </p>
      </div>
      {adoptable && <a class="button adopt" href={toAdopt(x.topic)} aria-label={d.adoptLabel(x.topic)}><Icon name="plus" /> {d.adopt}</a>}
      {x.error && <ErrorText topic={x} />}
      <Fields topic={x} />
      <details class="payload" open={(x.fields ?? []).length === 0}>
        <summary>{d.payload}</summary>
        <pre translate={false}>{x.payload}</pre>
      </details>
    </li>
  );
}

/** What could not be read, and where. */
function ErrorText({ topic: x }: { topic: Topic }) {
  if (!x.error) return null;
  const place = t.discovered.place(x.error.path, x.kind === 'binary' ? '' : String(x.error.at));
  return (
    <p class="refusal">
      <span class="place">{place}</span> <span translate={false}>{x.error.reason}</span>
      {(x.unreadable ?? 0) > 0 && <span class="faint"> · {t.discovered.unreadable(x.unreadable ?? 0)}</span>}
    </p>
  );
}

export const fieldText = (v: Value | null): string => (typeof v === 'number' ? String(v) : shown(v, null));

/** What is said beside the line: how far it went, or which words came. */
function reachOf(f: Field): string {
  if (f.min !== null && f.max !== null) return f.min === f.max ? '' : `${f.min} … ${f.max}`;
  return f.words && f.words.length > 1 ? f.words.join(' · ') : '';
}

export function Fields({ topic }: { topic: Topic }) {
  const open = useSignal(false);
  const all = topic.fields ?? [];
  const fields = open.value ? all : all.slice(0, FIELDS_SHOWN);
  if (all.length === 0) return null;
  return (
    <div class="fields-of">
      <ul class="field-list">
        {fields.map((f) => (
          <li key={f.path} data-field={f.path} class={f.type === 'text' ? 'words' : ''}>
            <code translate={f.path === ''}>{f.path === '' ? t.discovered.value : f.path}</code>
            {f.type !== 'text' && <MiniChart values={f.values} stepped={f.type === 'boolean'} />}
            <b translate={typeof f.last === 'boolean'}>{fieldText(f.last)}</b>
            <span class="faint" translate={false}>{reachOf(f)}</span>
          </li>
        ))}
      </ul>
      {fields.length < all.length && <button type="button" class="link" onClick={() => (open.value = true)}>{t.discovered.more(all.length - fields.length)}</button>}
      {(topic.fields_left_out ?? 0) > 0 && fields.length === all.length && <p class="faint">{t.discovered.more(topic.fields_left_out ?? 0)}</p>}
    </div>
  );
}
