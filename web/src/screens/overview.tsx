// The first screen: the line as a picture, what needs attention, and how
// everything went in the last minutes.

import { useComputed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Device, Property, Site } from '../api';
import { t } from '../i18n';
import { planOf } from '../layout';
import { ActionList } from '../parts/actionlist';
import { AlertList } from '../parts/alertlist';
import { Icon } from '../parts/icons';
import { Picture } from '../parts/picture';
import { Spark } from '../parts/spark';
import { Tile } from '../parts/tile';
import { QualityNote, Value } from '../parts/value';
import { toDevice } from '../router';
import { actions, alerts, isActive, seriesOf } from '../store';

const ALERTS_SHOWN = 5;
const ACTIONS_SHOWN = 6;

export function Overview({ site }: { site: Site }) {
  const plan = useMemo(() => planOf(site.devices), [site]);
  const withLine = plan.lines.length > 0;
  return (
    <>
      <h1 class="unseen" tabIndex={-1}>{t.nav.overview}</h1>
      <CriticalBanner />
      {site.devices.length === 0 && <p class="empty">{t.overview.noDevices}</p>}
      <section class={withLine ? 'plan' : 'plan no-line'} aria-label={withLine ? t.overview.picture : t.overview.tiles}>
        {withLine && (
          <div class="lines">
            {plan.lines.map((line) => (
              <div class="panel line" key={line.prefix}>
                {plan.lines.length > 1 && <h2>{line.prefix}</h2>}
                <Picture line={line} />
              </div>
            ))}
          </div>
        )}
        {plan.tiles.length > 0 && <div class="tiles">{plan.tiles.map((d) => <Tile key={d.name} device={d} />)}</div>}
      </section>
      <div class="columns">
        <ActiveAlerts />
        <LastActions />
      </div>
      <Sparks devices={site.devices} />
    </>
  );
}

function CriticalBanner() {
  const open = alerts.value.filter((a) => a.severity === 'critical' && a.state === 'unacknowledged');
  const newest = open[0];
  if (!newest) return null;
  return (
    <a class="banner critical" href="#/alerts">
      <Icon name="critical" /> {t.overview.unacknowledged(open.length, newest.text)}
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
      <div class="spark-groups">
        {devices.filter((d) => d.properties.some(charted)).map((device) => (
          <div class="panel spark-group" key={device.name}>
            <h3><a href={toDevice(device.name)}>{device.name}</a></h3>
            {device.properties.filter(charted).map((p) => {
              const series = seriesOf(device.name, p.name);
              return (
                series && (
                  <div class="spark-row" key={p.name}>
                    <span class="label">{p.name}</span>
                    <Spark series={series} />
                    <span class="end">
                      <Value series={series} />
                      <QualityNote series={series} />
                    </span>
                  </div>
                )
              );
            })}
          </div>
        ))}
      </div>
    </section>
  );
}
