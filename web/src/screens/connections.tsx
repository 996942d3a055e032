// Who is connected, whose sessions are kept, and the lines that the site opens itself.

import { getConnections, getLinks, type Connection, type LinkLine } from '../api';
import { age, whole } from '../format';
import { t } from '../i18n';
import { usePolled } from '../parts/poll';
import { Ago } from '../parts/value';
import { toDevice } from '../router';
import { now } from '../store';

const REFRESH_MS = 3000;

export function ConnectionsScreen() {
  const clients = usePolled(getConnections, REFRESH_MS).value;
  const lines = usePolled(getLinks, REFRESH_MS).value;
  const c = t.connections;
  const list = clients.value ?? [];
  const here = list.filter((x) => x.connected_ms !== null);
  const away = list.filter((x) => x.connected_ms === null);
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.connections}</h1>
      <section class="panel" aria-labelledby="clients">
        <h2 id="clients">{c.clients} <span class="count">{here.length}</span></h2>
        {clients.why && <p class="refusal">{c.lost(clients.why)}</p>}
        {clients.value && (here.length === 0 ? <p class="empty">{c.noConnections}</p> : <Clients list={here} />)}
      </section>
      <section class="panel" aria-labelledby="sessions">
        <h2 id="sessions">{c.sessions} <span class="count">{away.length}</span></h2>
        {clients.value && (away.length === 0 ? <p class="empty">{c.noSessions}</p> : <Clients list={away} />)}
      </section>
      <section class="panel" aria-labelledby="lines">
        <h2 id="lines">{c.lines} <span class="count">{lines.value?.length ?? 0}</span></h2>
        {lines.why && <p class="refusal">{c.lost(lines.why)}</p>}
        {lines.value && lines.value.length === 0 && <p class="empty">{c.noLines}</p>}
        {lines.value?.map((l) => <Line key={l.text} line={l} />)}
      </section>
    </>
  );
}

function Clients({ list }: { list: Connection[] }) {
  const c = t.connections;
  return (
    <table class="stack">
      <thead>
        <tr>
          {[c.client, c.address, c.protocol, c.since].map((h) => <th scope="col" key={h}>{h}</th>)}
          {[c.received, c.sent, c.subscriptions, c.queued].map((h) => <th scope="col" class="end" key={h}>{h}</th>)}
        </tr>
      </thead>
      <tbody>
        {list.map((x) => (
          <tr key={x.client} data-client={x.client}>
            <th scope="row" translate={false}><code>{x.client}</code>{x.user && <span class="faint"> {x.user}</span>}</th>
            <td class="long" data-label={c.address} translate={false}>{x.address ?? t.none}</td>
            <td data-label={c.protocol}>{x.version === 0 ? t.none : c.version(x.version)}</td>
            <td data-label={c.since}>{x.connected_ms === null ? t.none : age(now.value - x.connected_ms)}</td>
            <td class="end" data-label={c.received}>{whole(x.received)}</td>
            <td class="end" data-label={c.sent}>{whole(x.sent)}</td>
            <td class="end" data-label={c.subscriptions}>{whole(x.subscriptions)}</td>
            <td class="end" data-label={c.queued}>{whole(x.queued)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Line({ line }: { line: LinkLine }) {
  const c = t.connections;
  const well = line.state === 'connected';
  return (
    <div class="field-line" data-line={line.text}>
      <p class="line-head">
        <code translate={false}>{line.text}</code>
        <span class={`reach ${well ? 'online' : 'offline'}`}><i aria-hidden="true" /> {c.states[line.state] ?? line.state}</span>
        {line.since_ms !== null && <span class="faint">{age(now.value - line.since_ms)}</span>}
        {line.retry_ms !== null && !well && <span class="faint">{c.retry(age(line.retry_ms - now.value))}</span>}
      </p>
      {line.last_error && <p class={well ? 'faint' : 'refusal'}><span translate={false}>{line.last_error}</span>{line.last_error_ms !== null && <span class="faint"> · <Ago ms={line.last_error_ms} /></span>}</p>}
      <table class="stack">
        <thead>
          <tr>
            {[c.unit, c.device, c.state].map((h) => <th scope="col" key={h}>{h}</th>)}
            {[c.requests, c.timeouts, c.errors].map((h) => <th scope="col" class="end" key={h}>{h}</th>)}
          </tr>
        </thead>
        <tbody>
          {[...line.units].sort((a, b) => a.unit - b.unit).map((u) => (
            <tr key={u.unit}>
              <th scope="row" data-label={c.unit}>{u.unit}</th>
              <td class="long" data-label={c.device}><span class="names">{u.devices.map((d) => <a key={d} href={toDevice(d)} translate={false}>{d}</a>)}</span></td>
              <td class="long" data-label={c.state}>
                <span class={`reach ${u.online === null ? 'unknown' : u.online ? 'online' : 'offline'}`}><i aria-hidden="true" /> {u.online === null ? c.unknown : u.online ? c.answers : c.silent}</span>
                {u.last_error && <span class="faint" translate={false}> {u.last_error}</span>}
              </td>
              <td class="end" data-label={c.requests}>{whole(u.requests)}</td>
              <td class="end" data-label={c.timeouts}>{whole(u.timeouts)}</td>
              <td class="end" data-label={c.errors}>{whole(u.errors)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
