// The line as a picture: drawn from layout.ts' arrangement in pixels of the
// place it has, so that letters keep their size on a phone and on a wall.

import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Device, Property, Quality } from '../api';
import { age, shortName, shown, withUnit } from '../format';
import { t } from '../i18n';
import { arrange, METRICS, numeric, partsOf, type Cell, type Line, type Station } from '../layout';
import { isFlow, isTrouble, share } from '../meaning';
import { toDevice } from '../router';
import { alerts, isActive, link, now, OLD_MS, seriesOf, type Reading } from '../store';
import { Belt } from './belt';
import { useMotion } from './motion';

const EMPTY: Reading = { value: null, ts_ms: null, quality: 'none' };

export const readingOf = (device: Device, p: Property): Reading =>
  seriesOf(device.name, p.name)?.reading.value ?? EMPTY;

/** "stale for 12 s" of the oldest stale value, or how long ago the last news came; null if all is fresh. */
function staleness(device: Device): string | null {
  let oldest = Infinity;
  let newest = -Infinity;
  for (const p of device.properties) {
    const r = readingOf(device, p);
    if (r.ts_ms === null) continue;
    newest = Math.max(newest, r.ts_ms);
    if (r.quality === 'stale') oldest = Math.min(oldest, r.ts_ms);
  }
  if (oldest !== Infinity) return t.staleFor(age(now.value - oldest));
  const silent = now.value - newest;
  return silent > OLD_MS && silent !== Infinity ? t.ago(age(silent)) : null;
}

export function Picture({ line }: { line: Line }) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const measure = () => setWidth(Math.floor(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const plan = useMemo(() => (width > 0 ? arrange(line, width) : null), [line, width]);
  return (
    <div class="picture" ref={frame}>
      {plan && (
        <svg width={plan.width} height={plan.height} viewBox={`0 0 ${plan.width} ${plan.height}`} role="group" aria-label={t.overview.picture}>
          {plan.belts.length > 0 && plan.cells.map((cell, i) => <Frame key={i} cell={cell} mode={plan.mode} plan={plan} />)}
          {plan.belts.map((belt, i) => {
            const device = line.conveyors[i];
            return device && <Belt key={device.name} device={device} place={belt} mode={plan.mode} row={i} />;
          })}
          {plan.cells.map((cell, i) => {
            const station = line.stations[i];
            return station && <StationCell key={station.device.name} station={station} cell={cell} />;
          })}
        </svg>
      )}
    </div>
  );
}

/** What a machine stands on: legs over the belt, or an arm that reaches it. */
function Frame({ cell, mode, plan }: { cell: Cell; mode: 'across' | 'down'; plan: ReturnType<typeof arrange> }) {
  if (mode === 'across') {
    const last = plan.belts[plan.belts.length - 1];
    const floor = last ? last.y + last.h + 5 : cell.y + cell.h;
    const top = cell.y + cell.h;
    const mid = cell.x + cell.w / 2;
    return (
      <g class="frame" aria-hidden="true">
        <path d={`M${cell.x + 20} ${top}V${floor}M${cell.x + cell.w - 20} ${top}V${floor}`} />
        <path class="foot" d={`M${cell.x + 10} ${floor}h20M${cell.x + cell.w - 30} ${floor}h20`} />
        <path class="tool" d={`M${mid - 26} ${top}h52l-12 14h-28z`} />
      </g>
    );
  }
  const belt = plan.belts[plan.belts.length - 1];
  if (!belt) return null;
  const y = cell.y + 56;
  const from = belt.x + belt.w;
  return (
    <g class="frame" aria-hidden="true">
      <path class="tool" d={`M${cell.x} ${y - 18}v36l-12 -9v-18z`} />
      <path d={`M${from} ${y}H${cell.x - 12}`} />
    </g>
  );
}

function StationCell({ station, cell }: { station: Station; cell: Cell }) {
  const { device, attached } = station;
  return (
    <g>
      {attached.map((child, i) => (
        <Attached key={child.name} device={child} x={cell.x} y={cell.y - (attached.length - i) * METRICS.attached} w={cell.w} box={cell.y} />
      ))}
      <Box device={device} cell={cell} />
    </g>
  );
}

/** The worst active alert of a device, for the colour of its outline. */
function alertsOf(device: string): { severity: string; count: number } {
  const own = alerts.value.filter((a) => isActive(a) && a.source.device === device);
  const severity = (['critical', 'warning', 'info'] as const).find((s) => own.some((a) => a.severity === s));
  return { severity: severity ?? 'none', count: own.length };
}

function Box({ device, cell }: { device: Device; cell: Cell }) {
  const { x, y, w, h } = cell;
  const parts = partsOf(device);
  const alert = alertsOf(device.name);
  const stale = staleness(device);
  const scale = parts.temperature && parts.temperature.min !== null && parts.temperature.max !== null;
  const left = x + (scale ? 42 : 16);
  const right = x + w - 14;
  const rows = [...parts.bars, ...parts.plain];
  const rowsTop = y + METRICS.head + METRICS.big;
  return (
    <a href={toDevice(device.name)} class={`station alert-${alert.severity}`} aria-label={`${device.name}, ${device.model}${stale ? `, ${stale}` : ''}`}>
      <rect class="box" x={x} y={y} width={w} height={h} rx="8" />
      <path class="head-line" d={`M${x + 1} ${y + METRICS.head - 4}H${x + w - 1}`} />
      <text class="name" x={x + 14} y={y + 21}>{shortName(device.name)}</text>
      {stale ? (
        <text class="stale-note end" x={right} y={y + 21}>{stale}</text>
      ) : (
        <text class="model end" x={right - (alert.count > 0 ? 12 : 0)} y={y + 21}>{device.model}</text>
      )}
      {parts.temperature && <Temperature device={device} p={parts.temperature} x={x} y={y + METRICS.head} left={left} height={h - METRICS.head - (parts.lamps.length > 0 ? METRICS.lamps : 8)} />}
      {rows.map((p, i) => <Row key={p.name} device={device} p={p} left={left} right={right} y={rowsTop + i * METRICS.row} />)}
      {parts.lamps.map((p, i) => (
        <Lamp key={p.name} device={device} p={p} x={x + 20 + (i * (w - 28)) / parts.lamps.length} y={y + h - 16} />
      ))}
      {parts.lamps.length > 0 && <path class="head-line" d={`M${x + 1} ${y + h - 32}H${x + w - 1}`} />}
      {alert.count > 0 && (
        <g class={`badge ${alert.severity}`}>
          <circle cx={x + w - 4} cy={y + 3} r="10" />
          <text x={x + w - 4} y={y + 7}>{alert.count}</text>
          <title>{t.overview.hasAlerts(alert.count)}</title>
        </g>
      )}
    </a>
  );
}

/** Says in words what the colour of a doubtful value says. */
function labelOf(p: Property, quality: Quality): string {
  return quality === 'bad' || quality === 'uncertain' ? `${p.name}: ${t.quality[quality]}` : p.name;
}

function Temperature(props: { device: Device; p: Property; x: number; y: number; left: number; height: number }) {
  const { device, p, x, y, left, height } = props;
  const { value, quality } = readingOf(device, p);
  const part = share(p, value);
  const top = y + 8;
  const bottom = y + height - 16;
  const tall = bottom - top;
  return (
    <g class={`q-${quality}`}>
      {p.max !== null && (
        <g class="thermometer" aria-hidden="true">
          <path class="glass" d={`M${x + 16} ${top + 5}a5 5 0 0 1 10 0V${bottom - 2}a8 8 0 1 1 -10 0Z`} />
          {part !== null && (
            <g class="mercury">
              <circle cx={x + 21} cy={bottom + 4} r="5" />
              <rect x={x + 18.5} width="5" y={top + 6 + (tall - 8) * (1 - part)} height={(tall - 8) * part + 4} rx="2" />
            </g>
          )}
        </g>
      )}
      <text class="big" x={left} y={y + 29}>
        <tspan class="number">{shown(value, p)}</tspan>
        {p.unit && value !== null && <tspan class="unit" dx="4">{p.unit}</tspan>}
      </text>
      <text class="label" x={left} y={y + 44}>{labelOf(p, quality)}</text>
    </g>
  );
}

function Row({ device, p, left, right, y }: { device: Device; p: Property; left: number; right: number; y: number }) {
  const { value, quality } = readingOf(device, p);
  const part = share(p, value);
  const wide = right - left;
  return (
    <g class={`row q-${quality}`}>
      <text class="label" x={left} y={y + 15}>{labelOf(p, quality)}</text>
      <text class="reading end" x={right} y={y + 15}>{withUnit(value, p)}</text>
      {p.max !== null && <rect class="track" x={left} y={y + 20} width={wide} height="3" rx="1.5" />}
      {part !== null && <rect class="fill" x={left} y={y + 20} width={Math.max(1.5, wide * part)} height="3" rx="1.5" />}
    </g>
  );
}

function Lamp({ device, p, x, y }: { device: Device; p: Property; x: number; y: number }) {
  const { value, quality } = readingOf(device, p);
  const state = value === true ? (isTrouble(p) ? 'trouble' : 'on') : value === false ? 'off' : 'unknown';
  return (
    <g class={`lamp ${state} q-${quality}`}>
      <circle cx={x} cy={y} r="5" />
      <text class="label" x={x + 11} y={y + 4}>
        {p.name}
        <tspan class="unseen">{` ${shown(value, p)}`}</tspan>
      </text>
    </g>
  );
}

/** A device that belongs to a station: a valve with its pipe, or a small sign. */
function Attached({ device, x, y, w, box }: { device: Device; x: number; y: number; w: number; box: number }) {
  const flow = device.properties.find((p) => isFlow(p) && numeric(device, p.name));
  const main = flow ?? device.properties[0];
  const reading = main ? readingOf(device, main) : EMPTY;
  const alert = alertsOf(device.name);
  const stale = staleness(device);
  const part = flow ? share(flow, reading.value) : null;
  const mid = y + 26;
  return (
    <a href={toDevice(device.name)} class={`attached alert-${alert.severity}`} aria-label={`${device.name}, ${device.model}${stale ? `, ${stale}` : ''}`}>
      <rect class="hit" x={x + 4} y={y + 4} width={w - 8} height={METRICS.attached - 8} rx="6" />
      {flow ? (
        <Valve x={x} mid={mid} box={box} part={part} quality={reading.quality} fresh={stale === null && link.value.state === 'live'} id={`v${flow.series}`} />
      ) : (
        <g class="sign" aria-hidden="true">
          <path d={`M${x + 37} ${mid + 9}V${box}`} />
          <circle cx={x + 37} cy={mid} r="9" />
        </g>
      )}
      <text class="name small" x={x + 82} y={mid - 3}>
        {shortName(device.name)}
        {main && <tspan class={`reading q-${reading.quality}`} dx="8">{withUnit(reading.value, main)}</tspan>}
      </text>
      <text class={stale ? 'stale-note' : 'model'} x={x + 82} y={mid + 13}>
        {stale ?? (device.owner ? t.overview.ownedBy(device.owner) : device.model)}
      </text>
    </a>
  );
}

const FLOW = [{ strokeDashoffset: '24' }, { strokeDashoffset: '0' }];

function Valve(props: { x: number; mid: number; box: number; part: number | null; quality: string; fresh: boolean; id: string }) {
  const { x, mid, box, part, quality, fresh, id } = props;
  const open = part ?? 0;
  const moving = open > 0.02 && quality === 'good' && fresh;
  const flow = useMotion<SVGPathElement>(FLOW, 24, moving ? 12 + open * 40 : 0);
  const c = x + 37;
  const pipe = `M${x + 12} ${mid}H${x + 56}q6 0 6 6V${box}`;
  const bow = `M${c - 12} ${mid - 9}l24 18v-18l-24 18z`;
  return (
    <g class={`valve q-${quality}`} aria-hidden="true">
      <path class="pipe" d={pipe} />
      <path class={moving ? 'flow moving' : 'flow'} d={pipe} ref={flow} />
      <path class="flange" d={`M${x + 12} ${mid - 7}v14M${x + 55} ${box - 1}h14`} />
      <clipPath id={id}>
        <rect x={c - 12} y={mid + 9 - 18 * open} width="24" height={18 * open} />
      </clipPath>
      <path class="body" d={bow} />
      <path class="body-fill" d={bow} clip-path={`url(#${id})`} />
      <path class="stem" d={`M${c} ${mid}v-13M${c - 7} ${mid - 13}a7 6 0 0 1 14 0z`} />
    </g>
  );
}
