// Columns for a chart from samples or windows, with gaps where news was missing.

import type { Property, Value, Window } from './api';
import type { Ring } from './ring';

/** x in seconds, then lines; null is a gap. */
export type Column = (number | null)[];

export interface Columns {
  x: number[];
  mean: Column;
  /** Empty when there is no band. */
  low: Column;
  high: Column;
}

export const EMPTY: Columns = { x: [], mean: [], low: [], high: [] };

export interface Summary {
  min: number;
  mean: number;
  max: number;
}

const GAP_MIN_MS = 60_000;

function median(values: number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

/** How long without a sample is a gap: what the site calls stale, else far more than usual. */
export function gapOf(p: Pick<Property, 'stale_ms'>, times: number[]): number {
  if (p.stale_ms !== null) return p.stale_ms;
  const steps: number[] = [];
  for (let i = 1; i < times.length; i++) steps.push((times[i] ?? 0) - (times[i - 1] ?? 0));
  return Math.max(GAP_MIN_MS, 20 * median(steps));
}

export function rawColumns(points: Iterable<[number, number]>, gap_ms: number): Columns {
  const columns: Columns = { x: [], mean: [], low: [], high: [] };
  let last = NaN;
  for (const [t, v] of points) {
    if (t - last > gap_ms) {
      columns.x.push((last + 1) / 1000);
      columns.mean.push(null);
    }
    columns.x.push(t / 1000);
    columns.mean.push(Number.isNaN(v) ? null : v);
    last = t;
  }
  return columns;
}

export function* ringPoints(ring: Ring, from_ms: number): Generator<[number, number]> {
  // One sample before the window, so that the line enters from its edge.
  for (let i = Math.max(0, ring.lowerBound(from_ms) - 1); i < ring.length; i++) yield [ring.time(i), ring.value(i)];
}

export function ringColumns(ring: Ring, p: Property, from_ms: number): Columns {
  const points = [...ringPoints(ring, from_ms)];
  return rawColumns(points, gapOf(p, points.map(([t]) => t)));
}

export function numberOf(value: Value): number {
  return typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : NaN;
}

export function windowColumns(windows: Window[], window_ms: number, p: Property): Columns {
  const columns: Columns = { x: [], mean: [], low: [], high: [] };
  const starts = windows.map((w) => w[0]);
  const steps = starts.slice(1).map((t, i) => t - (starts[i] ?? 0));
  const gap = Math.max(1.5 * window_ms, p.stale_ms ?? GAP_MIN_MS, 3 * median(steps));
  let last = NaN;
  for (const [t0, , min, max, mean] of windows) {
    if (t0 - last > gap) push(columns, (last + window_ms) / 1000, null, null, null);
    push(columns, (t0 + window_ms / 2) / 1000, mean, min, max);
    last = t0;
  }
  return columns;
}

function push(c: Columns, x: number, mean: number | null, low: number | null, high: number | null): void {
  c.x.push(x);
  c.mean.push(mean);
  c.low.push(low);
  c.high.push(high);
}

/** Lowest, mean and highest of what is shown; null if nothing is. */
export function summary(c: Columns, from_s: number, to_s: number): Summary | null {
  let n = 0;
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < c.x.length; i++) {
    const x = c.x[i] ?? NaN;
    const mean = c.mean[i] ?? null;
    if (mean === null || x < from_s || x > to_s) continue;
    n++;
    sum += mean;
    min = Math.min(min, c.low[i] ?? mean);
    max = Math.max(max, c.high[i] ?? mean);
  }
  return n > 0 ? { min, mean: sum / n, max } : null;
}

/** The value that stood at a moment: the last one before it, if it is not long ago. */
export function valueAt(c: Columns, at_s: number): number | null {
  let low = 0;
  let high = c.x.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((c.x[mid] ?? 0) <= at_s) low = mid + 1;
    else high = mid;
  }
  return low === 0 ? null : (c.mean[low - 1] ?? null);
}

/** The points of a small line, in pixels; empty if there is nothing to draw. */
export function linePoints(values: [number, Value | null][], width: number, height: number, pad: number): [number, number][] {
  const known = values.map(([ts, v]): [number, number] => [ts, v === null ? NaN : numberOf(v)]).filter(([, v]) => Number.isFinite(v));
  const first = known[0];
  const last = known[known.length - 1];
  if (!first || !last) return [];
  const low = Math.min(...known.map(([, v]) => v));
  const high = Math.max(...known.map(([, v]) => v));
  const px = (ts: number) => pad + (last[0] > first[0] ? (ts - first[0]) / (last[0] - first[0]) : 1) * (width - 2 * pad);
  const py = (v: number) => (high > low ? height - pad - ((v - low) / (high - low)) * (height - 2 * pad) : height / 2);
  return known.map(([ts, v]) => [Math.round(px(ts) * 10) / 10, Math.round(py(v) * 10) / 10]);
}
