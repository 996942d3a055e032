// One device: every property with its chart, the commands it takes, and what
// was done with it.

import { effect, useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { giveBack, type Device, type Lease, type Site } from '../api';
import { time } from '../format';
import { t } from '../i18n';
import { ActionList } from '../parts/actionlist';
import { AlertList } from '../parts/alertlist';
import { Chart } from '../parts/chart';
import { Command } from '../parts/command';
import { Icon } from '../parts/icons';
import { Me } from '../parts/name';
import { Lamp } from '../parts/tile';
import { QualityNote, Value } from '../parts/value';
import { pan, rangeOf, rangeQuery, rangeText, SPANS, zoom, type Range } from '../range';
import { route, setQuery, toDevice, toProgram } from '../router';
import { actions, alerts, isActive, now, serverNow, seriesOf } from '../store';

const RECENT_SHOWN = 8;

export function DeviceScreen({ site, name }: { site: Site; name: string }) {
  const device = site.devices.find((d) => d.name === name);
  if (!device) {
    return (
      <>
        <h1 tabIndex={-1}>{name || t.nav.device}</h1>
        <p class="empty">{t.device.unknown(name)}</p>
      </>
    );
  }
  return <Known key={device.name} device={device} site={site} />;
}

function Known({ device, site }: { device: Device; site: Site }) {
  const range = useSignal<Range>(rangeOf(route.peek().query));
  useEffect(() => effect(() => setQuery(rangeQuery(range.value))), []);
  return (
    <>
      <header class="title">
        <h1 tabIndex={-1}>{device.name}</h1>
        <span class="faint">{device.model}</span>
      </header>
      <Facts device={device} site={site} />
      <DeviceAlerts device={device} />
      <div class={`device-columns ${device.actions.length > 0 ? '' : 'no-commands'}`}>
        <section aria-labelledby="properties">
          <div class="section-head">
            <h2 id="properties">{t.device.properties}</h2>
            <RangeBar range={range} />
          </div>
          <div class="charts">
            {device.properties.map((p) => {
              const series = seriesOf(device.name, p.name);
              return (
                series && (
                  <article class="panel property" key={p.name} aria-label={p.name}>
                    <header>
                      <h3>{p.name}</h3>
                      <QualityNote series={series} />
                      {p.type === 'bool' ? <Lamp device={device.name} property={p} bare /> : <Value series={series} />}
                    </header>
                    {p.type === 'str' ? <p class="faint">{t.device.noChart}</p> : <Chart series={series} range={range} />}
                  </article>
                )
              );
            })}
          </div>
        </section>
        {device.actions.length > 0 && (
          <aside>
            <Commands device={device} />
            <Recent device={device} />
          </aside>
        )}
      </div>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function Facts({ device, site }: { device: Device; site: Site }) {
  const attached = site.devices.filter((d) => d.name.startsWith(`${device.name}.`));
  return (
    <dl class="facts line-facts">
      <Fact name={t.device.owner}>
        {device.owner ? <a href={toProgram(device.owner)}><Icon name="lock" /> {device.owner}</a> : t.device.nobody}
      </Fact>
      {device.topic && <Fact name={t.device.topic}><code>{device.topic}</code></Fact>}
      {device.id && <Fact name={t.device.id}><code>{device.id}</code></Fact>}
      <Fact name={t.device.actions}>{device.actions.length === 0 ? t.device.noActions : device.actions.map((a) => a.name).join(', ')}</Fact>
      {device.events.length > 0 && <Fact name={t.device.events}>{device.events.join(', ')}</Fact>}
      {attached.length > 0 && (
        <Fact name={t.device.attached}>{attached.map((d) => <a key={d.name} href={toDevice(d.name)}>{d.name}</a>)}</Fact>
      )}
    </dl>
  );
}

function DeviceAlerts({ device }: { device: Device }) {
  const own = alerts.value.filter((a) => isActive(a) && a.source.device === device.name);
  if (own.length === 0) return null;
  return <section class="panel" aria-label={t.overview.alerts}><AlertList alerts={own} empty="" /></section>;
}

export function RangeBar({ range }: { range: Signal<Range> }) {
  const { span, to } = range.value;
  const change = (next: Range) => () => (range.value = next);
  return (
    <div class="range" role="group" aria-label={t.range.label}>
      <div class="segments">
        {SPANS.map((s) => (
          <button type="button" key={s} aria-pressed={s === span} onClick={() => (range.value = zoom(range.peek(), s, serverNow()))}>
            {t.range.spans[String(s)]}
          </button>
        ))}
      </div>
      <div class="segments">
        <button type="button" aria-label={t.range.earlier} title={t.range.earlier} onClick={() => (range.value = pan(range.peek(), -1, serverNow()))}>
          <Icon name="back" />
        </button>
        <button type="button" aria-label={t.range.later} title={t.range.later} disabled={to === null} onClick={() => (range.value = pan(range.peek(), 1, serverNow()))}>
          <Icon name="forward" />
        </button>
        <button type="button" aria-pressed={to === null} onClick={change({ span, to: null })}>{t.range.now}</button>
      </div>
      <RangeText range={range} />
    </div>
  );
}

function RangeText({ range }: { range: Signal<Range> }) {
  return <span class="faint range-text">{rangeText(range.value, now.value)}</span>;
}

function Commands({ device }: { device: Device }) {
  return (
    <section class="panel commands" aria-labelledby="commands">
      <h2 id="commands">{t.device.actions}</h2>
      {device.lease ? (
        <Lent device={device} lease={device.lease} />
      ) : device.owner ? (
        <p class="owned">
          <Icon name="lock" /> <span>{t.device.owned(device.owner)}</span>
        </p>
      ) : (
        <p class="faint">{t.device.free}</p>
      )}
      {device.actions.map((decl) => <Command key={decl.name} device={device} decl={decl} />)}
      <Me />
    </section>
  );
}

/** Who has it for now. A person may give it back before the time is over. */
function Lent({ device, lease }: { device: Device; lease: Lease }) {
  const problem = useSignal('');
  const back = () => void giveBack(device.name).catch((e: Error) => (problem.value = e.message));
  return (
    <div class="owned lent" role="status">
      <p><Icon name="lock" /> <span>{t.device.lent(lease.holder, lease.until_ms ? time(lease.until_ms) : '')}</span></p>
      {lease.person && <button type="button" onClick={back}>{t.device.giveBack}</button>}
      {problem.value && <p class="refusal">{problem.value}</p>}
    </div>
  );
}

function Recent({ device }: { device: Device }) {
  const own = actions.value.filter((a) => a.device === device.name).slice(0, RECENT_SHOWN);
  return (
    <section class="panel" aria-labelledby="recent">
      <h2 id="recent">{t.device.recent}</h2>
      <ActionList actions={own} empty={t.device.noRecent} brief at={device.name} />
    </section>
  );
}
