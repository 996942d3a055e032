// A live value, its quality, and how old it is.

import { age, shown, withUnit } from '../format';
import { t } from '../i18n';
import { now, OLD_MS, seriesNamed, type Series } from '../store';

/** Text of a value of a series that is only known by name (a cause, an argument). */
export function seriesText(name: string, value: string | number | boolean | null): string {
  return withUnit(value, seriesNamed(name)?.property ?? null);
}

export function Value({ series }: { series: Series }) {
  const { value, quality } = series.reading.value;
  const p = series.property;
  return (
    <span class={`value q-${quality}`} data-series={series.name}>
      <span class="number" translate={typeof value !== 'string'}>{shown(value, p)}</span>
      {p.unit && value !== null && <span class="unit" translate={false}>{p.unit}</span>}
    </span>
  );
}

/** Says in words what the colour says: nothing for a good value of now. */
export function QualityNote({ series }: { series: Series }) {
  const { ts_ms, quality } = series.reading.value;
  if (quality === 'good') {
    const old = ts_ms !== null && now.value - ts_ms > OLD_MS;
    return old ? <span class="note"><Ago ms={ts_ms} /></span> : null;
  }
  if (quality === 'stale') {
    const since = ts_ms === null ? '' : age(now.value - ts_ms);
    return <span class="note stale">{since ? t.staleFor(since) : t.quality.stale}</span>;
  }
  return <span class={`note ${quality}`}>{quality === 'bad' ? t.badValue : t.quality[quality]}</span>;
}

/** How long ago, in a clock that ticks. */
export function Ago({ ms }: { ms: number }) {
  return <>{t.ago(age(now.value - ms))}</>;
}
