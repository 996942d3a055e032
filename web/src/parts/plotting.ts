// What all charts with axes have in common.

import type uPlot from 'uplot';
import { fixed, moment, stepDigits, time } from '../format';
import { t } from '../i18n';
import { colour } from '../theme';

export function axisTime(splits: number[], step: number): string[] {
  return splits.map((s) => {
    const d = new Date(s * 1000);
    const midnight = d.getHours() === 0 && d.getMinutes() === 0 && d.getSeconds() === 0;
    if (step >= 86400 || midnight) return moment(s * 1000, 0).replace(/ [\d:]+$/, '');
    return step < 60 ? time(s * 1000) : time(s * 1000).slice(0, 5);
  });
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** Steps of an axis of time in seconds. Those of the library leave out two minutes, so that a phone has one label in five. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 4, 6, 8, 12].map((n) => n * HOUR),
  ...[1, 2, 3, 5, 7, 10, 15, 30, 60, 90, 180, 365].map((n) => n * DAY),
];

/** Of yes and no: room for both words above and below. */
export const BOOL_SCALE: [number, number] = [-0.2, 1.2];

export function axesOf(bool: boolean): uPlot.Axis[] {
  const grid = { stroke: colour('grid'), width: 1 };
  const axis = { stroke: colour('muted'), font: '11px system-ui, sans-serif', grid, ticks: { show: false } };
  return [
    // Times with seconds need more room than those without.
    { ...axis, size: 26, gap: 4, incrs: STEPS, space: (_u, _i, min, max) => (max - min < 900 ? 66 : 44), values: (_u, splits, _i, _s, step) => axisTime(splits, step) },
    {
      ...axis,
      // As wide as the longest of its texts: a meter counts to 123,456.
      size: (_u, texts) => Math.max(46, 10 + 6.5 * Math.max(0, ...(texts ?? []).map((s) => s.length))),
      gap: 6,
      space: 34,
      values: (_u, splits, _i, _s, step) => splits.map((v) => (bool ? (v === 0 ? t.no : v === 1 ? t.yes : '') : fixed(v, stepDigits(step)))),
    },
  ];
}

/** A drag that selects a range of time. */
export function onSelect(zoom: (from: number, to: number) => void): (u: uPlot) => void {
  return (u) => {
    if (u.select.width > 8) zoom(u.posToVal(u.select.left, 'x') * 1000, u.posToVal(u.select.left + u.select.width, 'x') * 1000);
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
}

/** Lowest and highest of a scale, so that a flat line is drawn flat. */
export function spread(low: number | null, high: number | null, least: number): [number, number] {
  if (low === null || high === null || !Number.isFinite(low)) return [0, 1];
  const size = Math.max(least, high - low);
  const mid = (low + high) / 2;
  return [mid - size * 0.56, mid + size * 0.56];
}
