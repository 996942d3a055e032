// A device that is no part of a line: its values, one below the other.

import type { Device, Property } from '../api';
import { shortName, shown } from '../format';
import { t } from '../i18n';
import { isTrouble } from '../meaning';
import { toDevice } from '../router';
import { alerts, isActive, seriesOf } from '../store';
import { Icon } from './icons';
import { reachOf, ReachText } from './reach';
import { QualityNote, Value } from './value';

export function Lamp({ device, property, bare = false }: { device: string; property: Property; bare?: boolean }) {
  const reading = seriesOf(device, property.name)?.reading.value;
  const value = reading?.value ?? null;
  const state = value === true ? (isTrouble(property) ? 'trouble' : 'on') : value === false ? 'off' : 'unknown';
  return (
    <span class={`lamp ${state} q-${reading?.quality ?? 'none'}`}>
      <i aria-hidden="true" /> {!bare && <span translate={false}>{property.name}</span>} <span class="faint">{shown(value, property)}</span>
    </span>
  );
}

/** A device with more values than this gets a row of its own, with its values side by side. */
const MANY = 8;
export const hasMany = (device: Device): boolean => device.properties.length > MANY;

export function Tile({ device }: { device: Device }) {
  const own = alerts.value.filter((a) => isActive(a) && a.source.device === device.name);
  const severity = (['critical', 'warning', 'info'] as const).find((s) => own.some((a) => a.severity === s)) ?? 'none';
  // Told once, not beside each of thirty values.
  const lost = hasMany(device) && reachOf(device).reach === 'offline';
  return (
    <a class={`panel tile alert-${severity}${hasMany(device) ? ' many' : ''}`} href={toDevice(device.name)}>
      <span class="tile-head">
        <b translate={false}>{shortName(device.name)}</b>
        <span class="faint" translate={false}>{device.model}</span>
      </span>
      {lost && <ReachText device={device} />}
      {device.properties.map((p) => {
        const series = seriesOf(device.name, p.name);
        if (!series) return null;
        if (p.type === 'bool') return <Lamp key={p.name} device={device.name} property={p} />;
        return (
          <span class="tile-value" key={p.name}>
            <span class="label" translate={false}>{p.name}</span>
            <Value series={series} />
            {!lost && <QualityNote series={series} />}
          </span>
        );
      })}
      {device.owner && (
        <span class="faint owner"><Icon name="lock" /> {t.overview.ownedBy(device.owner)}</span>
      )}
    </a>
  );
}
