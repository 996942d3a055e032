// History of one series as columns for a chart: samples of short ranges,
// windows of long ones, so that a spike of a second still shows in a week.

import { getRaw, getWindows, getWindowsOf } from './api';
import { gapOf, numberOf, rawColumns, windowColumns, type Columns } from './chartdata';
import { RING_MAX, type Series } from './store';

const RAW_SPAN_MAX_MS = 15 * 60_000;
const RAW_MAX = 20_000;

/** What stands for a value in a chart: 'auto', 0 for every sample, or windows of so many ms. */
export type Grain = 'auto' | number;

export interface History {
  columns: Columns;
  /** Width of a window; 0: samples. */
  window: number;
  /** Too many samples were asked for: these are windows. */
  cut: boolean;
}

async function raw(series: Series, from: number, to: number, limit: number): Promise<History | null> {
  const answer = await getRaw(series.name, from, to, limit);
  if (answer.truncated) return null;
  const pairs = answer.points.map(([ts, v]): [number, number] => [ts, numberOf(v)]);
  return { columns: rawColumns(pairs, gapOf(series.property, pairs.map(([ts]) => ts))), window: 0, cut: false };
}

export async function load(series: Series, from: number, to: number, points: number, grain: Grain = 'auto'): Promise<History> {
  const p = series.property;
  if (grain === 0 || (grain === 'auto' && to - from <= RAW_SPAN_MAX_MS)) {
    const all = await raw(series, from, to, grain === 0 ? RAW_MAX : RING_MAX);
    if (all) return all;
  }
  const answer = typeof grain === 'number' && grain > 0 ? await getWindowsOf(series.name, from, to, grain) : await getWindows(series.name, from, to, points);
  return { columns: windowColumns(answer.windows, answer.window, p), window: answer.window, cut: grain === 0 };
}
