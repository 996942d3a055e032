// One device: every property with its chart, the commands it takes, and what
// was done with it.

import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { giveBack, type Device, type Lease, type Property, type Site } from '../api';
import { age, plain, shown, time } from '../format';
import { t } from '../i18n';
import { ActionList } from '../parts/actionlist';
import { AlertList } from '../parts/alertlist';
import { Chart } from '../parts/chart';
import { Command } from '../parts/command';
import { Events } from '../parts/events';
import { rangeKeys, useRangeInAddress } from '../parts/gestures';
import { Icon } from '../parts/icons';
import { Me } from '../parts/name';
import { RangeBar } from '../parts/rangebar';
import { ReachText } from '../parts/reach';
import { hasMany, Lamp } from '../parts/tile';
import { Ago, QualityNote, Value } from '../parts/value';
import { rangeOf, spanText, type Range } from '../range';
import { route, toDevice, toHistory, toProgram } from '../router';
import { sayError } from '../said';
import { actions, alerts, isOver, seriesOf, type Series } from '../store';

const RECENT_SHOWN = 8;

export function DeviceScreen({ site, name }: { site: Site; name: string }) {
  const device = site.devices.find((d) => d.name === name);
  if (!device) {
    return (
      <>
        <h1 tabIndex={-1} translate={!name}>{name || t.nav.device}</h1>
        <p class="empty">{t.device.unknown(name)}</p>
      </>
    );
  }
  return <Known key={device.name} device={device} site={site} />;
}

function Known({ device, site }: { device: Device; site: Site }) {
  const range = useSignal<Range>(rangeOf(route.peek().query));
  useRangeInAddress(range);
  const { query } = route.value;
  const property = query.get('property');
  const command = query.get('command');
  useEffect(() => {
    // What was searched for is what the reader wants to see.
    const sought = property ? `article[data-property="${CSS.escape(property)}"]` : command ? `form[data-command="${CSS.escape(command)}"] :is(input, button)` : null;
    const element = sought ? document.querySelector<HTMLElement>(sought) : null;
    element?.scrollIntoView({ block: 'center' });
    element?.focus({ preventScroll: true });
  }, [property, command]);
  const charted = device.properties.filter((p) => p.type !== 'str').map((p) => `${device.name}.${p.name}`);
  const commands = device.actions.length > 0;
  return (
    <>
      <header class="title">
        <h1 tabIndex={-1} translate={false}>{device.name}</h1>
        <span class="faint" translate={false}>{device.model}</span>
        <ReachText device={device} />
      </header>
      <Facts device={device} site={site} />
      <DeviceAlerts device={device} />
      {!commands && device.events.length > 0 && <Events device={device} />}
      <div class={`device-columns ${commands ? '' : 'no-commands'}`}>
        <section aria-labelledby="properties">
          <div class="section-head">
            <h2 id="properties">{t.device.properties}</h2>
            {charted.length > 0 && <a class="aside-link" href={toHistory(charted)}>{t.device.explore}</a>}
            <RangeBar range={range} />
          </div>
          <div class={`charts${hasMany(device) ? ' many' : ''}`} tabIndex={charted.length > 0 ? 0 : undefined} role="group" aria-label={charted.length > 0 ? t.device.charts(spanText(range.value)) : t.device.properties} onKeyDown={rangeKeys(range)}>
            {device.properties.map((p) => {
              const series = seriesOf(device.name, p.name);
              return series && <PropertyPanel key={p.name} device={device} property={p} series={series} range={range} />;
            })}
          </div>
        </section>
        {commands && (
          <aside aria-label={t.device.actions}>
            <Commands device={device} />
            {device.events.length > 0 && <Events device={device} />}
            <Recent device={device} />
          </aside>
        )}
      </div>
    </>
  );
}

function PropertyPanel({ device, property: p, series, range }: { device: Device; property: Property; series: Series; range: Signal<Range> }) {
  return (
    <article class="panel property" data-property={p.name} aria-label={p.name} tabIndex={-1}>
      <header>
        <h3 translate={false}>{p.name}</h3>
        <QualityNote series={series} />
        {p.type === 'bool' ? <Lamp device={device.name} property={p} bare /> : p.type === 'str' ? null : <Value series={series} />}
      </header>
      {p.why && <p class="refusal" role="status" translate={false}>{p.why}</p>}
      {p.type === 'str' ? <Text series={series} /> : <Chart series={series} range={range} />}
      <PropertyFacts series={series} p={p} />
    </article>
  );
}

function Text({ series }: { series: Series }) {
  const { value, ts_ms } = series.reading.value;
  return (
    <div class="property-text">
      <p class="quoted" translate={false}><span data-series={series.name}>{shown(value, null)}</span></p>
      {ts_ms !== null && <p class="faint">{t.device.text} <Ago ms={ts_ms} /></p>}
    </div>
  );
}

/** What is declared of it, and how good the newest value is. */
function PropertyFacts({ series, p }: { series: Series; p: Property }) {
  const { quality } = series.reading.value;
  return (
    <dl class="property-facts">
      <Fact name={t.device.quality}><span class={`note ${quality}`}>{t.quality[quality]}</span></Fact>
      {p.min !== null && p.max !== null && <Fact name={t.device.range}>{t.device.rangeText(plain(p.min), p.unit ? `${plain(p.max)}\u202f${p.unit}` : plain(p.max))}</Fact>}
      {p.stale_ms !== null && <Fact name="">{t.device.fresh(age(p.stale_ms))}</Fact>}
      {p.type !== 'str' && (
        <Fact name=""><a href={toHistory([series.name])} aria-label={t.device.exploreOne(series.name)}>{t.nav.history}</a></Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <div><dt class={name ? '' : 'unseen'}>{name || t.device.properties}</dt><dd>{children}</dd></div>;
}

/** "modbus tcp://…" behind the word Modbus would say it twice. */
function linkText({ kind, text }: Device['link']): string {
  return text?.startsWith(`${kind} `) ? text.slice(kind.length + 1) : text ?? '';
}

function Facts({ device, site }: { device: Device; site: Site }) {
  const attached = site.devices.filter((d) => d.name.startsWith(`${device.name}.`));
  return (
    <dl class="facts line-facts">
      <Fact name={t.device.owner}>
        {device.owner ? <><Icon name="lock" /> <a href={toProgram(device.owner)} translate={false}>{device.owner}</a></> : t.device.nobody}
      </Fact>
      {device.link.kind !== 'none' && (
        <Fact name={t.device.link}>{t.device.linkKind[device.link.kind]} {device.link.text && <code translate={false}>{linkText(device.link)}</code>}</Fact>
      )}
      {device.id && <Fact name={t.device.id}><code translate={false}>{device.id}</code></Fact>}
      <Fact name={t.device.actions}>{device.actions.length === 0 ? t.device.noActions : <span translate={false}>{device.actions.map((a) => a.name).join(', ')}</span>}</Fact>
      {device.link.unreadable > 0 && <Fact name={t.discovered.unread}><a class="refusal" href="#/discovered?list=unread">{t.device.unreadable(device.link.unreadable)}</a></Fact>}
      {attached.length > 0 && (
        <Fact name={t.device.attached}>{attached.map((d) => <a key={d.name} href={toDevice(d.name)} translate={false}>{d.name}</a>)}</Fact>
      )}
    </dl>
  );
}

function DeviceAlerts({ device }: { device: Device }) {
  const own = alerts.value.filter((a) => !isOver(a) && a.source.device === device.name);
  if (own.length === 0) return null;
  return <section class="panel" aria-label={t.overview.alerts}><AlertList alerts={own} empty="" /></section>;
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
  const back = () => void giveBack(device.name).catch((e: unknown) => (problem.value = sayError(e)));
  return (
    <div class="owned lent" role="status">
      <p><Icon name="lock" /> <span>{t.device.lent(lease.holder, lease.until_ms ? time(lease.until_ms) : '')}</span></p>
      {lease.person && <button type="button" onClick={back}>{t.device.giveBack}</button>}
      {problem.value && <p class="refusal" translate={false}>{problem.value}</p>}
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
