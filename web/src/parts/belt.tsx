// A conveyor that moves as fast as its `speed` says, and stands when it says 0
// or says nothing.

import type { Device } from '../api';
import { age, shortName, withUnit } from '../format';
import { t } from '../i18n';
import { METRICS, numeric } from '../layout';
import { beltPace } from '../meaning';
import { toDevice } from '../router';
import { link, now, OLD_MS, seriesOf } from '../store';
import { useMotion } from './motion';

interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

const PITCH = 132;
const STEP = 22;
const RIGHT = [{ transform: 'translateX(0px)' }, { transform: `translateX(${PITCH}px)` }];
const DOWN = [{ transform: 'translateY(0px)' }, { transform: `translateY(${PITCH}px)` }];

export function Belt({ device, place, mode, row }: { device: Device; place: Place; mode: 'across' | 'down'; row: number }) {
  const speed = numeric(device, 'speed');
  const series = speed && seriesOf(device.name, speed.name);
  if (!speed || !series) return null;
  const { value, quality, ts_ms } = series.reading.value;
  const known = quality === 'good' || quality === 'uncertain';
  // Motion in the picture is a claim about now: old news does not move it.
  const old = ts_ms !== null && now.value - ts_ms > OLD_MS;
  const pace = known && !old && link.value.state === 'live' ? beltPace(speed, value) : 0;
  const moving = Math.abs(pace) >= 0.4;
  const words = quality === 'stale' && ts_ms !== null
    ? t.staleFor(age(now.value - ts_ms))
    : !known ? t.quality[quality] : old ? t.ago(age(now.value - ts_ms)) : moving ? t.overview.moving : t.overview.stopped;
  const captionY = mode === 'across' ? place.y + place.h + 21 : 20 + row * METRICS.caption;
  const owner = device.owner && t.overview.ownedBy(device.owner);
  return (
    <a href={toDevice(device.name)} class={`belt q-${quality} ${moving ? 'moving' : 'standing'}`} aria-label={`${device.name}, ${device.model}, ${words}`}>
      {mode === 'across' ? <Across place={place} pace={pace} id={`b${speed.series}`} /> : <Down place={place} pace={pace} id={`b${speed.series}`} />}
      <text class="name small" x={mode === 'across' ? place.x + 14 : place.x + 2} y={captionY}>
        {shortName(device.name)}
        <tspan class="reading" dx="8">{withUnit(value, speed)}</tspan>
        <tspan class={quality === 'stale' || old ? 'stale-note' : 'state'} dx="8">{words}</tspan>
        {owner && mode === 'across' && <tspan class="model" dx="12">{owner}</tspan>}
      </text>
    </a>
  );
}

const steps = (length: number, step: number): number[] =>
  Array.from({ length: Math.ceil(length / step) + 1 }, (_, i) => i * step);

/** From the side: crates ride on it. */
function Across({ place, pace, id }: { place: Place; pace: number; id: string }) {
  const ref = useMotion<SVGGElement>(RIGHT, PITCH, pace);
  const { x, y, w, h } = place;
  const flip = pace < 0 ? `translate(${2 * x + w} 0) scale(-1 1)` : undefined;
  const marks = steps(w + 2 * PITCH, STEP).map((s) => `M${x - PITCH + s} ${y + 6}l5 ${h / 2 - 6}l-5 ${h / 2 - 6}`);
  return (
    <g aria-hidden="true">
      <rect class="bed" x={x} y={y} width={w} height={h} rx={h / 2} />
      <linearGradient id={`${id}g`}>
        {[0, 1, 1, 0].map((shown, i) => (
          <stop key={i} offset={['0', '0.03', '0.97', '1'][i]} stop-color="#fff" stop-opacity={shown} />
        ))}
      </linearGradient>
      <mask id={id} maskUnits="userSpaceOnUse" x={x} y={y - 24} width={w} height={h + 24}>
        <rect x={x + 4} y={y - 24} width={w - 8} height={h + 24} fill={`url(#${id}g)`} />
      </mask>
      <g mask={`url(#${id})`}>
        <g transform={flip}>
          <g ref={ref}>
            <path class="marks" d={marks.join('')} />
            {steps(w + PITCH, PITCH).map((s) => (
              <g class="crate" key={s}>
                <rect x={x - PITCH + s + 40} y={y - 18} width="22" height="17" rx="2" />
                <path d={`M${x - PITCH + s + 40} ${y - 12}h22`} />
              </g>
            ))}
          </g>
        </g>
      </g>
      <circle class="roller" cx={x + h / 2} cy={y + h / 2} r={h / 2 - 5} />
      <circle class="roller" cx={x + w - h / 2} cy={y + h / 2} r={h / 2 - 5} />
    </g>
  );
}

/** From above, for a narrow screen. */
function Down({ place, pace, id }: { place: Place; pace: number; id: string }) {
  const ref = useMotion<SVGGElement>(DOWN, PITCH, pace);
  const { x, y, w, h } = place;
  const flip = pace < 0 ? `translate(0 ${2 * y + h}) scale(1 -1)` : undefined;
  const marks = steps(h + 2 * PITCH, STEP).map((s) => `M${x + 6} ${y - PITCH + s}l${w / 2 - 6} 5l${w / 2 - 6} -5`);
  return (
    <g aria-hidden="true">
      <rect class="bed" x={x} y={y} width={w} height={h} rx="6" />
      <clipPath id={id}>
        <rect x={x} y={y + 1} width={w} height={h - 2} rx="6" />
      </clipPath>
      <g clip-path={`url(#${id})`}>
        <g transform={flip}>
          <g ref={ref}>
            <path class="marks" d={marks.join('')} />
            {steps(h + PITCH, PITCH).map((s) => (
              <g class="crate" key={s}>
                <rect x={x + w / 2 - 9} y={y - PITCH + s + 40} width="18" height="18" rx="2" />
                <path d={`M${x + w / 2 - 9} ${y - PITCH + s + 49}h18`} />
              </g>
            ))}
          </g>
        </g>
      </g>
    </g>
  );
}
