// Whether a device can be reached, in words and as a sign: what its link says,
// and without such a word how old its newest value is.

import type { Device } from '../api';
import { age } from '../format';
import { t } from '../i18n';
import { now, seriesOf } from '../store';
import { Ago } from './value';

export type Reach = 'online' | 'offline' | 'silent' | 'heard' | 'unknown';

/** With when the newest value came (silent: the oldest stale one). */
export function reachOf(device: Device): { reach: Reach; ts_ms: number | null } {
  let newest: number | null = null;
  let stale: number | null = null;
  for (const p of device.properties) {
    const r = seriesOf(device.name, p.name)?.reading.peek();
    if (!r || r.ts_ms === null) continue;
    newest = Math.max(newest ?? 0, r.ts_ms);
    if (r.quality === 'stale') stale = Math.min(stale ?? Infinity, r.ts_ms);
  }
  const { online } = device.link;
  if (online === false) return { reach: 'offline', ts_ms: newest };
  if (stale !== null) return { reach: 'silent', ts_ms: stale };
  return { reach: online ? 'online' : newest === null ? 'unknown' : 'heard', ts_ms: newest };
}

export function ReachText({ device }: { device: Device }) {
  // Read once a second, not with each sample.
  const present = now.value;
  const { reach, ts_ms } = reachOf(device);
  const words = {
    online: t.device.online,
    offline: t.device.offline,
    silent: t.staleFor(age(present - (ts_ms ?? present))),
    heard: <>{t.device.heard} <Ago ms={ts_ms ?? present} /></>,
    unknown: t.quality.none,
  }[reach];
  return (
    <span class={`reach ${reach}`}>
      <i aria-hidden="true" /> <span>{words}</span>
      {device.link.why && <span class="faint" translate={false}> {device.link.why}</span>}
    </span>
  );
}
