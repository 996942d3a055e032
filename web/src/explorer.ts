// What the history explorer shows, as its address tells it.

import type { Grain } from './load';
import type { Series } from './store';

export const SERIES_MAX = 8;
export const GRAINS: Grain[] = ['auto', 0, 1000, 10_000, 60_000, 600_000, 3_600_000, 86_400_000];

export interface Explored {
  names: string[];
  grain: Grain;
  band: boolean;
}

export function exploredOf(query: URLSearchParams): Explored {
  const names = [...new Set(query.getAll('s'))].slice(0, SERIES_MAX);
  const w = query.get('w');
  const grain = w === null ? 'auto' : Number(w);
  return { names, grain: GRAINS.includes(grain) ? grain : 'auto', band: query.get('band') !== '0' };
}

export function exploredQuery(e: Partial<Explored>): Record<string, string | string[] | null> {
  const query: Record<string, string | string[] | null> = {};
  if (e.names) query.s = e.names;
  if (e.grain !== undefined) query.w = e.grain === 'auto' ? null : String(e.grain);
  if (e.band !== undefined) query.band = e.band ? null : '0';
  return query;
}

export interface Lane {
  /** "°C", "" without a unit, "bool" for yes and no. */
  unit: string;
  series: { series: Series; colour: number }[];
}

/** What has the same unit shares a scale; each unit has a lane of its own, in the order in which they were chosen. */
export function lanesOf(chosen: Series[]): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const [colour, series] of chosen.entries()) {
    const p = series.property;
    const unit = p.type === 'bool' ? 'bool' : (p.unit ?? '');
    const lane = lanes.get(unit) ?? { unit, series: [] };
    lane.series.push({ series, colour });
    lanes.set(unit, lane);
  }
  return [...lanes.values()];
}
