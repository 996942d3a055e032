// What arrives and belongs to nobody, by the thing that says it: first what can
// be adopted, with its values over time, then the rest, with the reason; and
// what a device said that could not be read.

import { useSignal } from '@preact/signals';
import type { FoundThing, Topic } from '../api';
import { t } from '../i18n';
import { refreshTopics } from '../live';
import { Fields } from '../parts/fields';
import { Icon } from '../parts/icons';
import { usePolled } from '../parts/poll';
import { Tabs } from '../parts/tabs';
import { Ago } from '../parts/value';
import { route, setQuery, toAdopt, toDevice } from '../router';
import { adoptable, things, topics, topicsDropped } from '../store';

const REFRESH_MS = 15_000;
const PAGE = 50;
const VALUES = 16;
/** Names of makers, in no language. */
const SHAPES: Record<string, string> = { tasmota: 'Tasmota', zigbee2mqtt: 'Zigbee2MQTT', shelly: 'Shelly', esphome: 'ESPHome', json: 'JSON' };

export function DiscoveredScreen() {
  const filter = useSignal('');
  // The feed brings what is new; this brings what was before, and what it missed.
  usePolled(() => refreshTopics(VALUES), REFRESH_MS);
  const unread = topics.value.filter((x) => x.error);
  const list = route.value.query.get('list') === 'unread' ? 'unread' : 'things';
  const text = filter.value.toLowerCase();
  const d = t.discovered;
  return (
    <>
      <header class="title">
        <h1 tabIndex={-1}>{t.nav.discovered}</h1>
        <input class="filter" type="search" value={filter.value} placeholder={d.filter} aria-label={d.filter} onInput={(e) => (filter.value = e.currentTarget.value)} />
      </header>
      <Tabs
        label={t.nav.discovered}
        tabs={[{ id: 'things', name: d.things, count: adoptable.value.length }, { id: 'unread', name: d.unread, count: unread.length }]}
        chosen={list}
        onChoose={(id) => setQuery({ list: id === 'unread' ? id : null })}
      >
        {list === 'unread' ? <Unread topics={unread} text={text} /> : <Things text={text} />}
        {topicsDropped.value > 0 && <p class="faint">{d.dropped(topicsDropped.value)}</p>}
      </Tabs>
    </>
  );
}

const isAbout = (x: FoundThing, text: string): boolean => [x.name, x.device ?? '', ...x.topics].some((s) => s.toLowerCase().includes(text));

function Things({ text }: { text: string }) {
  const shown = useSignal(PAGE);
  const d = t.discovered;
  const byTopic = new Map(topics.value.map((x) => [x.topic, x]));
  const all = things.value.filter((x) => isAbout(x, text));
  const found = all.filter((x) => x.adopt !== null);
  const rest = all.filter((x) => x.adopt === null && x.obstacle !== 'unreadable');
  const topicsOf = (x: FoundThing) => x.topics.map((name) => byTopic.get(name)).filter((x) => x !== undefined);
  return (
    <>
      {text && all.length === 0 ? <p class="empty">{d.noMatch}</p> : found.length === 0 && !text ? <p class="empty">{d.none}</p> : <p class="faint">{d.explain}</p>}
      <ul class="topics" data-arrows="y">{found.slice(0, shown.value).map((x) => <ThingItem key={x.key} thing={x} topics={topicsOf(x)} />)}</ul>
      {found.length > shown.value && <button type="button" onClick={() => (shown.value += PAGE)}>{t.alerts.more}</button>}
      {rest.length > 0 && (
        <details class="rest" open={found.length === 0 || text !== ''}>
          <summary>{d.rest} <span class="count">{rest.length}</span></summary>
          <ul class="topics" data-arrows="y">{rest.slice(0, shown.value).map((x) => <RestItem key={x.key} thing={x} topics={topicsOf(x)} />)}</ul>
        </details>
      )}
    </>
  );
}

/** Whose habits it has, how much it has said, and when last. */
function Meta({ thing: x }: { thing: FoundThing }) {
  return (
    <p class="meta">
      {x.shape && x.shape !== 'value' && <span class="chip" translate={false}>{SHAPES[x.shape] ?? x.shape}</span>}
      <span>{t.discovered.count(x.count)}</span>
      <span><Ago ms={x.last_ms} /></span>
      {x.device && <a href={toDevice(x.device)} translate={false}>{x.device}</a>}
    </p>
  );
}

function ThingItem({ thing: x, topics }: { thing: FoundThing; topics: Topic[] }) {
  const d = t.discovered;
  return (
    <li data-thing={x.key} data-topic={x.adopt ?? undefined}>
      <div class="topic-head">
        <h2 translate={false}>{x.name}</h2>
        <Meta thing={x} />
      </div>
      <a class="button adopt" href={toAdopt(x.adopt ?? '')} aria-label={d.adoptLabel(x.name)}>
        <Icon name="plus" /> {x.device ? d.addTo : d.adopt}
      </a>
      <Fields topics={topics} />
      <Said topics={topics} />
    </li>
  );
}

/** The topics by name, with their last messages. */
function Said({ topics }: { topics: Topic[] }) {
  const [first] = topics;
  if (!first) return null;
  return (
    <details class="payload" open={topics.every((x) => (x.fields ?? []).length === 0)}>
      <summary>{topics.length === 1 ? <code translate={false}>{first.topic}</code> : t.discovered.topics(topics.length)}</summary>
      <dl class="said">
        {topics.map((x) => (
          <div key={x.topic} data-said={x.topic}>
            <dt><code translate={false}>{x.topic}</code> <span class="faint"><Ago ms={x.last_ms} /></span></dt>
            <dd><pre translate={false}>{x.payload}</pre></dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** What can't be adopted, and why. */
function RestItem({ thing: x, topics }: { thing: FoundThing; topics: Topic[] }) {
  const why = x.obstacle ? t.discovered.obstacles[x.obstacle] : undefined;
  return (
    <li data-thing={x.key} data-topic={x.topics[0]} class="not-adoptable">
      <div class="topic-head">
        <h3 translate={false}>{x.name}</h3>
        <Meta thing={x} />
      </div>
      <p class="faint why" translate={why !== undefined}>{why ?? x.why}</p>
      <Said topics={topics} />
    </li>
  );
}

function Unread({ topics, text }: { topics: Topic[]; text: string }) {
  const shown = useSignal(PAGE);
  const d = t.discovered;
  const matching = topics.filter((x) => x.topic.toLowerCase().includes(text));
  return (
    <>
      {topics.length === 0 ? <p class="empty">{d.noneUnread}</p> : <p class="faint">{d.unreadExplain}</p>}
      {topics.length > 0 && matching.length === 0 && <p class="empty">{d.noMatch}</p>}
      <ul class="topics" data-arrows="y">{matching.slice(0, shown.value).map((x) => <UnreadItem key={x.topic} topic={x} />)}</ul>
      {matching.length > shown.value && <button type="button" onClick={() => (shown.value += PAGE)}>{t.alerts.more}</button>}
    </>
  );
}

/** What could not be read, where, and why. */
function UnreadItem({ topic: x }: { topic: Topic }) {
  const d = t.discovered;
  return (
    <li data-topic={x.topic} class="not-adoptable">
      <div class="topic-head">
        <h2><code translate={false}>{x.topic}</code></h2>
        <p class="meta">
          <span>{d.count(x.count)}</span>
          <span><Ago ms={x.last_ms} /></span>
          {x.device && <a href={toDevice(x.device)} translate={false}>{x.device}</a>}
        </p>
      </div>
      {x.error && (
        <p class="refusal">
          <span class="place">{d.place(x.error.path, x.kind === 'binary' ? '' : String(x.error.at))}</span> <span translate={false}>{x.error.reason}</span>
          {x.unreadable > 0 && <span class="faint"> · {d.unreadable(x.unreadable)}</span>}
        </p>
      )}
      <details class="payload" open>
        <summary>{d.payload}</summary>
        <pre translate={false} tabIndex={0}>{x.payload}</pre>
      </details>
    </li>
  );
}
