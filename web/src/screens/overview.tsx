// The first screen: the line as a picture, what needs attention, and how
// everything went in the last minutes.

import { useComputed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Device, Property, Site } from '../api';
import type { ComponentChildren } from 'preact';
import { t } from '../i18n';
import { attentionFirst, devicesOf, planOf, tilesBeside } from '../layout';
import { ActionList } from '../parts/actionlist';
import { AlertList } from '../parts/alertlist';
import { Bounded } from '../parts/bounded';
import { Icon } from '../parts/icons';
import { Picture } from '../parts/picture';
import { reachOf } from '../parts/reach';
import { Spark } from '../parts/spark';
import { hasMany, Tile } from '../parts/tile';
import { QualityNote, Value } from '../parts/value';
import { toDevice, toProperty } from '../router';
import { alertText } from '../said';
import { actions, adoptable, alerts, isActive, now, programs, seriesOf } from '../store';

const ALERTS_SHOWN = 5;
const ACTIONS_SHOWN = 6;
const LINES_SHOWN = 6;
const TILES_SHOWN = 40;
const SPARKS_SHOWN = 12;

export function Overview({ site }: { site: Site }) {
  // As it was when the screen was opened: what is shown does not change places under its reader.
  const needy = useMemo(() => new Set(site.devices.filter(needsSomebody).map((d) => d.name)), []);
  const plan = useMemo(() => {
    const { lines, tiles } = planOf(site.devices);
    const needs = (d: Device) => needy.has(d.name);
    return { lines: attentionFirst(lines, LINES_SHOWN, (line) => devicesOf(line).some(needs)), tiles: attentionFirst(tiles, TILES_SHOWN, needs) };
  }, [site]);
  const withLine = plan.lines.length > 0;
  return (
    <>
      <h1 class="unseen" tabIndex={-1}>{t.nav.overview}</h1>
      <CriticalBanner />
      {site.devices.length === 0 ? <First site={site} /> : <Status site={site} />}
      {site.devices.length > 0 && <section class={!withLine ? 'plan no-line' : tilesBeside(plan) ? 'plan' : 'plan below'} aria-label={withLine ? t.overview.picture : t.overview.tiles}>
        {withLine && (
          <Bounded items={plan.lines} page={LINES_SHOWN}>{(some) => <div class="lines">
            {some.map((line) => (
              <div class="panel line" key={line.prefix}>
                {plan.lines.length > 1 && <h2 translate={false}>{line.prefix}</h2>}
                <Picture line={line} />
              </div>
            ))}
          </div>}</Bounded>
        )}
        {plan.tiles.length > 0 && <Bounded items={plan.tiles} page={TILES_SHOWN}>{(some) => <div class="tiles">{some.map((d) => <Tile key={d.name} device={d} />)}</div>}</Bounded>}
      </section>}
      <div class="columns">
        <ActiveAlerts />
        <LastActions />
      </div>
      {site.devices.length > 0 && <Sparks devices={site.devices} />}
    </>
  );
}

function needsSomebody(device: Device): boolean {
  const { reach } = reachOf(device);
  return reach === 'offline' || reach === 'silent' || alerts.peek().some((a) => isActive(a) && a.source.device === device.name);
}

/** The site in one line: what there is, and whether it needs anybody. */
function Status({ site }: { site: Site }) {
  const o = t.overview;
  void now.value;
  const reaches = site.devices.map((d) => reachOf(d).reach);
  const lost = reaches.filter((r) => r === 'offline').length;
  const silent = reaches.filter((r) => r === 'silent').length;
  const active = alerts.value.filter(isActive);
  const waiting = active.filter((a) => a.state !== 'acknowledged').length;
  const down = programs.value.filter((p) => p.state !== 'running').length;
  const rules = programs.value.reduce((n, p) => n + p.rules.filter((r) => r.state === 'active').length, 0);
  const found = adoptable.value.length;
  return (
    <ul class="status" aria-label={o.status} data-arrows="x">
      <StatusItem href="#/devices" n={site.devices.length} what={o.devices(site.devices.length)} bad={lost + silent > 0}>
        {lost > 0 ? o.unreachable(lost) : silent > 0 ? o.silent(silent) : reaches.includes('unknown') ? o.someUnheard(reaches.filter((r) => r === 'unknown').length) : o.allHeard}
      </StatusItem>
      <StatusItem href="#/alerts" n={active.length} what={o.alertsNow(active.length)} bad={waiting > 0}>{waiting > 0 ? o.waiting(waiting) : o.quiet}</StatusItem>
      <StatusItem href="#/programs" n={programs.value.length} what={o.programs(programs.value.length)} bad={down > 0}>
        {down > 0 ? o.notRunning(down) : rules > 0 ? o.rulesActive(rules) : programs.value.length > 0 ? o.running : ''}
      </StatusItem>
      <StatusItem href="#/discovered" n={found} what={o.found(found)} bad={false}>{found > 0 ? o.adoptHint : o.adoptNothing}</StatusItem>
    </ul>
  );
}

function StatusItem({ href, n, what, bad, children }: { href: string; n: number; what: string; bad: boolean; children: ComponentChildren }) {
  return (
    <li>
      <a href={href} class={bad ? 'bad' : ''}>
        <b>{n}</b> <span>{what}</span> <span class="note">{children}</span>
      </a>
    </li>
  );
}

/** What somebody sees who has just begun. */
function First({ site }: { site: Site }) {
  const found = adoptable.value.length;
  const o = t.overview;
  return (
    <section class="panel first" aria-labelledby="first">
      <h2 id="first">{o.first}</h2>
      <p>{o.noDevices}</p>
      <p>{found > 0 ? o.firstDiscovered(found) : o.firstConnect(site.server.mqtt.join(', '))}</p>
      {found > 0 && <p><a class="button primary" href="#/discovered">{o.firstOpen}</a></p>}
    </section>
  );
}

function CriticalBanner() {
  const open = alerts.value.filter((a) => a.severity === 'critical' && a.state === 'unacknowledged');
  const newest = open[0];
  if (!newest) return null;
  return (
    <a class="banner critical" href="#/alerts">
      <Icon name="critical" /> {t.overview.unacknowledged(open.length, alertText(newest))}
    </a>
  );
}

function ActiveAlerts() {
  const active = useComputed(() => alerts.value.filter(isActive));
  return (
    <section class="panel" aria-labelledby="active-alerts">
      <header>
        <h2 id="active-alerts">{t.overview.alerts}</h2>
        <a href="#/alerts">{t.overview.allAlerts}</a>
      </header>
      <AlertList alerts={active.value.slice(0, ALERTS_SHOWN)} empty={t.alerts.none} brief />
    </section>
  );
}

function LastActions() {
  return (
    <section class="panel" aria-labelledby="last-actions">
      <header>
        <h2 id="last-actions">{t.overview.actions}</h2>
        <a href="#/actions">{t.overview.allActions}</a>
      </header>
      <ActionList actions={actions.value.slice(0, ACTIONS_SHOWN)} empty={t.actions.none} brief />
    </section>
  );
}

const charted = (p: Property): boolean => p.type === 'float' || p.type === 'int';

function Sparks({ devices }: { devices: Device[] }) {
  return (
    <section aria-labelledby="sparks" class="spark-section">
      <h2 id="sparks">{t.overview.charts}</h2>
      <Bounded items={devices.filter((d) => d.properties.some(charted))} page={SPARKS_SHOWN}>{(some) => <div class="spark-groups">
        {some.map((device) => (
          <div class={`panel spark-group${hasMany(device) ? ' many' : ''}`} key={device.name}>
            <h3><a href={toDevice(device.name)} translate={false}>{device.name}</a></h3>
            <div class="spark-rows">
              {device.properties.filter(charted).map((p) => {
                const series = seriesOf(device.name, p.name);
                return (
                  series && (
                    <div class="spark-row" key={p.name}>
                      <a class="label" href={toProperty(device.name, p.name)} title={p.name} translate={false}>{p.name}</a>
                      <Spark series={series} />
                      <span class="end">
                        <Value series={series} />
                        {!(hasMany(device) && reachOf(device).reach === 'offline') && <QualityNote series={series} />}
                      </span>
                    </div>
                  )
                );
              })}
            </div>
          </div>
        ))}
      </div>}</Bounded>
    </section>
  );
}
