// The last values of something that no device is declared for, as a line of
// a thumb's size; what it says in words stands beside it.

import type { Value } from '../api';

const WIDTH = 120;
const HEIGHT = 28;
const PAD = 3;

const numberOf = (v: Value | null): number => (typeof v === 'number' ? v : typeof v === 'boolean' ? Number(v) : NaN);

/** Points of the line, in pixels; empty if there is nothing to draw. */
export function linePoints(values: [number, Value | null][], width: number, height: number, pad: number): [number, number][] {
  const known = values.map(([ts, v]): [number, number] => [ts, numberOf(v)]).filter(([, v]) => Number.isFinite(v));
  const first = known[0];
  const last = known[known.length - 1];
  if (!first || !last) return [];
  const low = Math.min(...known.map(([, v]) => v));
  const high = Math.max(...known.map(([, v]) => v));
  const px = (ts: number) => pad + (last[0] > first[0] ? (ts - first[0]) / (last[0] - first[0]) : 1) * (width - 2 * pad);
  const py = (v: number) => (high > low ? height - pad - ((v - low) / (high - low)) * (height - 2 * pad) : height / 2);
  return known.map(([ts, v]) => [Math.round(px(ts) * 10) / 10, Math.round(py(v) * 10) / 10]);
}

export function MiniChart({ values, stepped }: { values: [number, Value | null][]; stepped: boolean }) {
  const points = linePoints(values, WIDTH, HEIGHT, PAD);
  const end = points[points.length - 1];
  if (!end) return <svg class="mini" width={WIDTH} height={HEIGHT} aria-hidden="true" />;
  const path = points.map(([x, y], i) => (i === 0 ? `M${x} ${y}` : stepped ? `H${x}V${y}` : `L${x} ${y}`)).join('');
  return (
    <svg class="mini" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path d={path} />
      <circle cx={end[0]} cy={end[1]} r="2.5" />
    </svg>
  );
}
