// All devices of the site, one line each.

import { useSignal } from '@preact/signals';
import type { Device, Site } from '../api';
import { t } from '../i18n';
import { Bounded } from '../parts/bounded';
import { Icon } from '../parts/icons';
import { ReachText } from '../parts/reach';
import { Lamp } from '../parts/tile';
import { QualityNote, Value } from '../parts/value';
import { toDevice, toProgram } from '../router';
import { alerts, isActive, seriesOf } from '../store';

const VALUES_SHOWN = 3;
const PAGE = 100;

export function DevicesScreen({ site }: { site: Site }) {
  const filter = useSignal('');
  const text = filter.value.toLowerCase();
  const shown = site.devices.filter((d) => `${d.name} ${d.model} ${d.link.text ?? d.topic ?? ''}`.toLowerCase().includes(text));
  return (
    <>
      <header class="title">
        <h1 tabIndex={-1}>{t.nav.devices} <span class="count">{t.devices.count(shown.length, site.devices.length)}</span></h1>
        <input class="filter" type="search" value={filter.value} placeholder={t.devices.filter} aria-label={t.devices.filter} onInput={(e) => (filter.value = e.currentTarget.value)} />
      </header>
      <section class="panel" aria-label={t.nav.devices}>
        {site.devices.length === 0 ? <p class="empty">{t.overview.noDevices}</p> : shown.length === 0 ? <p class="empty">{t.devices.none}</p> : <Bounded items={shown} page={PAGE}>{(some) => <Table devices={some} />}</Bounded>}
      </section>
    </>
  );
}

function Table({ devices }: { devices: Device[] }) {
  return (
    <table class="stack wide devices">
      <thead>
        <tr>{[t.devices.name, t.device.model, t.devices.values, t.devices.state, t.device.owner].map((h) => <th scope="col" key={h}>{h}</th>)}</tr>
      </thead>
      <tbody data-arrows="y">{devices.map((d) => <Row key={d.name} device={d} />)}</tbody>
    </table>
  );
}

function Row({ device }: { device: Device }) {
  const own = alerts.value.filter((a) => isActive(a) && a.source.device === device.name);
  const worst = (['critical', 'warning', 'info'] as const).find((s) => own.some((a) => a.severity === s));
  return (
    <tr>
      <th scope="row">
        <a class="row-link" href={toDevice(device.name)} translate={false}>{device.name}</a>{' '}
        {worst && <a class={`count ${worst}`} href="#/alerts" aria-label={t.overview.hasAlerts(own.length)}>{own.length}</a>}
      </th>
      <td data-label={t.device.model}><span translate={false}>{device.model}</span></td>
      <td data-label={t.devices.values}>
        <span class="row-values">
          {device.properties.slice(0, VALUES_SHOWN).map((p) => {
            const series = seriesOf(device.name, p.name);
            if (!series) return null;
            if (p.type === 'bool') return <Lamp key={p.name} device={device.name} property={p} />;
            return <span class="row-value" key={p.name}><span class="label" translate={false}>{p.name}</span> <Value series={series} /> <QualityNote series={series} /></span>;
          })}
        </span>
      </td>
      <td data-label={t.devices.state}><ReachText device={device} /></td>
      <td data-label={t.device.owner}>
        {device.owner ? <><Icon name="lock" /> <a href={toProgram(device.owner)} translate={false}>{device.owner}</a></> : <span class="faint">{t.device.nobody}</span>}
      </td>
    </tr>
  );
}
