// What arrives and belongs to nobody, who is connected, and how the server is.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getConnections, getDiscovered, getStats, type Connection, type Site, type Stats, type Topic } from '../api';
import { age, bytes, whole } from '../format';
import { t } from '../i18n';
import { Ago } from '../parts/value';
import { applyTopics, now, topics, topicsDropped } from '../store';

const REFRESH_MS = 3000;

export function DiscoveredScreen({ site }: { site: Site }) {
  const connections = useSignal<Connection[]>([]);
  const stats = useSignal<Stats | null>(null);
  useEffect(() => {
    const read = async () => {
      try {
        const [found, clients, numbers] = await Promise.all([getDiscovered(), getConnections(), getStats()]);
        applyTopics(found.topics, true);
        topicsDropped.value = found.dropped;
        connections.value = clients;
        stats.value = numbers;
      } catch {
        // The header says that the connection is lost.
      }
    };
    void read();
    const timer = setInterval(() => void read(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const unread = topics.value.filter((x) => x.error);
  const unclaimed = topics.value.filter((x) => !x.error);
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.discovered}</h1>
      <section class="panel" aria-labelledby="topics">
        <h2 id="topics">{t.discovered.topics}</h2>
        {unclaimed.length === 0 ? <p class="empty">{t.discovered.none}</p> : <p class="faint">{t.discovered.explain}</p>}
        <Topics topics={unclaimed} />
        {topicsDropped.value > 0 && <p class="faint">{t.discovered.dropped(topicsDropped.value)}</p>}
      </section>
      {unread.length > 0 && (
        <section class="panel" aria-labelledby="unread">
          <h2 id="unread">{t.discovered.unread}</h2>
          <Topics topics={unread} />
        </section>
      )}
      <Connections list={connections.value} />
      {stats.value && <Server stats={stats.value} site={site} />}
    </>
  );
}

function Topics({ topics: list }: { topics: Topic[] }) {
  return (
    <ul class="topics">
      {list.map((x) => (
        <li key={x.topic} data-topic={x.topic}>
          <p class="text"><code>{x.topic}</code> <span class="chip">{x.kind}</span></p>
          <p class="meta faint">
            <span>{t.discovered.count(x.count)}</span>
            <span><Ago ms={x.last_ms} /></span>
          </p>
          <pre>{x.payload}</pre>
          {x.error && <p class="refusal">{x.error}</p>}
        </li>
      ))}
    </ul>
  );
}

function Connections({ list }: { list: Connection[] }) {
  const d = t.discovered;
  return (
    <section class="panel" aria-labelledby="connections">
      <h2 id="connections">{d.connections} <span class="count">{list.filter((c) => c.connected_ms !== null).length}</span></h2>
      {list.length === 0 ? (
        <p class="empty">{d.noConnections}</p>
      ) : (
        <table class="stack">
          <thead>
            <tr>
              {[d.client, d.address, d.since].map((h) => <th scope="col" key={h}>{h}</th>)}
              {[d.received, d.sent, d.subscriptions, d.queued].map((h) => <th scope="col" class="end" key={h}>{h}</th>)}
            </tr>
          </thead>
          <tbody>
            {list.map((c) => (
              <tr key={c.client} class={c.connected_ms === null ? 'off' : ''}>
                <th scope="row"><code>{c.client}</code>{c.user && <span class="faint"> {c.user}</span>}</th>
                <td data-label={d.address}>{c.address ?? t.none}</td>
                <td data-label={d.since}>{c.connected_ms === null ? d.offline : age(now.value - c.connected_ms)}</td>
                <td class="end" data-label={d.received}>{whole(c.received)}</td>
                <td class="end" data-label={d.sent}>{whole(c.sent)}</td>
                <td class="end" data-label={d.subscriptions}>{whole(c.subscriptions)}</td>
                <td class="end" data-label={d.queued}>{whole(c.queued)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Server({ stats, site }: { stats: Stats; site: Site }) {
  const d = t.discovered;
  const dropped = stats.dropped.filter((x) => x.count > 0);
  const rows: [string, string][] = [
    [d.version, site.version],
    [d.uptime, age(stats.uptime_ms)],
    [d.memory, bytes(stats.rss_bytes)],
    [d.samples, whole(stats.samples)],
    [d.messages, `${whole(stats.messages_in)} / ${whole(stats.messages_out)}`],
    [d.journal, d.journalText(whole(stats.journal.committed), bytes(stats.journal.bytes))],
    [d.history, d.historyText(whole(stats.history.points), whole(stats.history.chunks))],
    [d.listens, [...site.server.mqtt.map((a) => `mqtt ${a}`), ...site.server.http.map((a) => `http ${a}`)].join(', ')],
    [d.droppedTitle, dropped.length === 0 ? d.nothingDropped : dropped.map((x) => `${whole(x.count)} ${x.reason}`).join(', ')],
  ];
  return (
    <section class="panel" aria-labelledby="server">
      <h2 id="server">{d.server}</h2>
      <dl class="numbers">{rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
    </section>
  );
}
