// What the site was told to be, how the server is, and what this browser remembers.

import type { ComponentChildren } from 'preact';
import { getSettings, getStats, type Listener, type Settings, type Site, type Stats } from '../api';
import { age, bytes, shown, whole } from '../format';
import { chooseLanguage, language, languages, t, type Language } from '../i18n';
import { askName, me } from '../parts/name';
import { usePolled } from '../parts/poll';
import { Reload } from '../parts/reload';
import { KeyList } from '../parts/search';
import { siteTaken } from '../store';
import { chooseTheme, theme, type Theme } from '../theme';

const REFRESH_MS = 3000;

export function SettingsScreen({ site }: { site: Site }) {
  const settings = usePolled(getSettings, 0, siteTaken.value).value;
  const stats = usePolled(getStats, REFRESH_MS).value;
  const s = t.settings;
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.settings}</h1>
      <div class="settings-columns">
        <ThisPage />
        <section class="panel" aria-labelledby="keys">
          <h2 id="keys">{t.keys.title}</h2>
          <KeyList />
        </section>
      </div>
      {settings.why && <p class="refusal">{s.unavailable(settings.why)}</p>}
      {settings.value && <Told settings={settings.value} />}
      {stats.value && <Server stats={stats.value} site={site} />}
      <p class="faint">{s.api}: <a href="/api/settings" translate={false}><code>/api/settings</code></a>, <a href="/api/openapi.json" translate={false}><code>/api/openapi.json</code></a></p>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

function ThisPage() {
  const s = t.settings;
  return (
    <section class="panel" aria-labelledby="this-page">
      <h2 id="this-page">{s.page}</h2>
      <fieldset class="choices">
        <legend>{s.language}</legend>
        {(Object.keys(languages) as Language[]).map((l) => (
          <label key={l} lang={l} translate={false}><input type="radio" name="language" checked={language.value === l} onChange={() => chooseLanguage(l)} /> <span>{languages[l].language}</span></label>
        ))}
      </fieldset>
      <fieldset class="choices">
        <legend>{t.theme.name}</legend>
        {(['auto', 'light', 'dark'] as Theme[]).map((x) => (
          <label key={x}><input type="radio" name="theme" checked={theme.value === x} onChange={() => chooseTheme(x)} /> <span>{t.theme[x]}</span></label>
        ))}
      </fieldset>
      <p>
        <span class="label">{s.you}</span> <b translate={me.value === null}>{me.value ?? s.nobody}</b>{' '}
        <button type="button" class="link" onClick={() => void askName()}>{t.name.change}</button>
      </p>
    </section>
  );
}

function Told({ settings: x }: { settings: Settings }) {
  const s = t.settings;
  const every = (ms: number | null) => (ms === null ? s.off : age(ms));
  return (
    <>
      <section class="panel" aria-labelledby="site">
        <h2 id="site">{s.site}</h2>
        <p class="faint">{s.changeHint}</p>
        <dl class="facts">
          <Fact name={s.name}><span translate={false}>{x.name}</span></Fact>
          <Fact name={s.version}>{x.version}</Fact>
          <Fact name={s.folder}><code translate={false}>{x.folder}</code></Fact>
          <Fact name={s.files}><ul class="plain-list">{x.files.map((f) => <li key={f.name}><code translate={false}>{f.name}</code> <span class="faint">{s.fileText(whole(f.lines), bytes(f.bytes))}</span></li>)}</ul></Fact>
          <Fact name={s.zone}><span translate={false}>{x.zone ?? t.none}</span></Fact>
          <Fact name={s.workers}>{s.workersText(x.workers.running, x.driver)}</Fact>
          <Fact name={s.store}><code translate={false}>{x.store.folder}</code></Fact>
          <Fact name={s.commit}>{x.store.commit_ms === 0 ? s.commitNow : s.commitEvery(`${x.store.commit_ms} ms`)}</Fact>
          <Fact name={s.watchdog}>{every(x.watchdog_ms)}</Fact>
          <Fact name={s.sys}>{every(x.sys_ms)}</Fact>
        </dl>
        <Reload />
      </section>
      <section class="panel" aria-labelledby="listeners">
        <h2 id="listeners">{s.listeners}</h2>
        <table class="stack wide">
          <thead><tr>{[s.protocol, s.address, s.protection].map((h) => <th scope="col" key={h}>{h}</th>)}</tr></thead>
          <tbody>{x.listeners.map((l) => <Listening key={`${l.protocol} ${l.address}`} listener={l} />)}</tbody>
        </table>
      </section>
      <section class="panel" aria-labelledby="access">
        <h2 id="access">{s.access}</h2>
        {x.access.length === 0 ? <p class="empty">{s.noAccess}</p> : x.access.map((a) => (
          <figure key={`${a.file}:${a.line}`} class="rule-text"><figcaption><code class="faint" translate={false}>{a.file}:{a.line}</code></figcaption><pre translate={false}>{a.text}</pre></figure>
        ))}
      </section>
      {x.limits.length > 0 && (
        <section class="panel" aria-labelledby="limits">
          <h2 id="limits">{s.limits}</h2>
          <dl class="numbers">{x.limits.map((l) => <div key={l.name}><dt translate={false}>{l.name}</dt><dd translate={typeof l.value !== 'string'}>{typeof l.value === 'number' ? whole(l.value) : shown(l.value, null)}</dd></div>)}</dl>
        </section>
      )}
    </>
  );
}

const PROTECTIONS = ['tls', 'websocket', 'passwords', 'certificates', 'anonymous', 'insecure'] as const;

function Listening({ listener: l }: { listener: Listener }) {
  const s = t.settings;
  return (
    <tr>
      <th scope="row" translate={false}>{l.protocol}</th>
      <td data-label={s.address} translate={false}>{l.address}{l.name && <span class="faint"> {l.name}</span>}</td>
      <td data-label={s.protection}>
        <span class="chips">{PROTECTIONS.filter((p) => l[p]).map((p) => <span key={p} class={`chip ${p === 'insecure' ? 'state-failed' : p === 'anonymous' ? 'state-denied' : ''}`}>{s.protections[p]}</span>)}</span>
      </td>
    </tr>
  );
}

function Server({ stats, site }: { stats: Stats; site: Site }) {
  const s = t.settings;
  const dropped = stats.dropped.filter((x) => x.count > 0);
  const rows: [string, string][] = [
    [s.uptime, age(stats.uptime_ms)],
    [s.memory, bytes(stats.rss_bytes)],
    [s.samples, whole(stats.samples)],
    [s.messages, `${whole(stats.messages_in)} / ${whole(stats.messages_out)}`],
    [s.journal, s.journalText(whole(stats.journal.committed), bytes(stats.journal.bytes))],
    [s.history, s.historyText(whole(stats.history.points), whole(stats.history.chunks))],
    [s.durable, site.durable ? t.yes : t.no],
  ];
  return (
    <section class="panel" aria-labelledby="server">
      <h2 id="server">{s.server}</h2>
      <dl class="numbers">
        {rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}
        <div class={dropped.length > 0 ? 'bad' : ''}>
          <dt>{s.droppedTitle}</dt>
          <dd>{dropped.length === 0 ? s.nothingDropped : dropped.map((x) => `${whole(x.count)} ${s.drops[x.reason] ?? x.reason}`).join(', ')}</dd>
        </div>
      </dl>
    </section>
  );
}
