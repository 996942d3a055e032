// How a site becomes a picture: from its data alone, without knowing its names.
//
// - A device whose name continues another device's name is attached to it.
// - A device with a numeric `speed` is a conveyor, one with a numeric
//   `temperature` a station.  Stations and conveyors whose names share all but
//   the last part make a line, in the order of their declaration.
// - Without a conveyor that is a line of a few only: a building full of
//   thermometers is none.
// - Everything else is a tile.

import type { Device, Property } from './api';

export interface Station {
  device: Device;
  attached: Device[];
}

export interface Line {
  prefix: string;
  conveyors: Device[];
  stations: Station[];
}

export interface Plan {
  lines: Line[];
  tiles: Device[];
}

const LONE_STATIONS_MAX = 8;

const isNumeric = (p: Property): boolean => p.type === 'float' || p.type === 'int';

export function numeric(device: Device, name: string): Property | undefined {
  return device.properties.find((p) => p.name === name && isNumeric(p));
}

/** The nearest device whose name this one continues. */
export function parentOf(name: string, names: Set<string>): string | null {
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const prefix = name.slice(0, dot);
    if (names.has(prefix)) return prefix;
  }
  return null;
}

const prefixOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('.')));

export function planOf(devices: Device[]): Plan {
  const names = new Set(devices.map((d) => d.name));
  const children = new Map<string, Device[]>();
  const roots: Device[] = [];
  for (const device of devices) {
    const parent = parentOf(device.name, names);
    if (parent === null) roots.push(device);
    else children.set(parent, [...(children.get(parent) ?? []), device]);
  }
  const below = (name: string): Device[] =>
    (children.get(name) ?? []).flatMap((d) => [d, ...below(d.name)]);

  const lines = new Map<string, Line>();
  const tiles: Device[] = [];
  for (const device of roots) {
    const prefix = prefixOf(device.name);
    const line = lines.get(prefix) ?? { prefix, conveyors: [], stations: [] };
    if (numeric(device, 'speed')) line.conveyors.push(device);
    else if (numeric(device, 'temperature')) line.stations.push({ device, attached: below(device.name) });
    else {
      tiles.push(device, ...below(device.name));
      continue;
    }
    lines.set(prefix, line);
  }
  // A lone conveyor or a lone thermometer is no line.
  const real: Line[] = [];
  for (const line of lines.values()) {
    const enough = line.conveyors.length > 0 ? line.stations.length > 0 : line.stations.length >= 2 && line.stations.length <= LONE_STATIONS_MAX;
    if (enough) real.push(line);
    else
      tiles.push(
        ...line.stations.flatMap((s) => [s.device, ...s.attached]),
        ...line.conveyors.flatMap((c) => [c, ...below(c.name)]),
      );
  }
  for (const line of real) for (const c of line.conveyors) tiles.push(...below(c.name));
  const order = new Map(devices.map((d, i) => [d.name, i]));
  tiles.sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
  return { lines: real, tiles };
}

/** Of what is too long to be shown at once, what needs somebody stands in front; else the order stays as it is declared. */
export function attentionFirst<T>(items: T[], page: number, needs: (item: T) => boolean): T[] {
  return items.length <= page ? items : [...items.filter(needs), ...items.filter((x) => !needs(x))];
}

/** Everything that is drawn in a line. */
export const devicesOf = (line: Line): Device[] => [...line.conveyors, ...line.stations.flatMap((s) => [s.device, ...s.attached])];

/** So many rows of tiles, heads and values, are as high as a line. */
const ROWS_BESIDE_LINE = 7;

/** Whether the tiles fit beside the lines: a column that goes on below them would leave half of the screen empty. */
export function tilesBeside({ lines, tiles }: Plan): boolean {
  return tiles.reduce((n, d) => n + 1 + d.properties.length, 0) <= ROWS_BESIDE_LINE * lines.length;
}

/** What a station's box shows, sorted by the way it is drawn. */
export interface Parts {
  temperature: Property | null;
  bars: Property[];
  plain: Property[];
  lamps: Property[];
}

export function partsOf(device: Device): Parts {
  const parts: Parts = { temperature: null, bars: [], plain: [], lamps: [] };
  for (const p of device.properties) {
    if (p.name === 'temperature' && isNumeric(p)) parts.temperature = p;
    else if (p.type === 'bool') parts.lamps.push(p);
    else if (isNumeric(p) && p.min !== null && p.max !== null) parts.bars.push(p);
    else parts.plain.push(p);
  }
  return parts;
}

export const METRICS = {
  gap: 20,
  margin: 2,
  stationMin: 196,
  stationMax: 320,
  head: 36,
  big: 50,
  row: 27,
  lamps: 36,
  attached: 50,
  tool: 40,
  belt: 22,
  caption: 30,
  chute: 62,
} as const;

export interface Cell {
  x: number;
  y: number;
  w: number;
  h: number;
  /** Height of the strips of attached devices above the box. */
  above: number;
}

export interface Arrangement {
  mode: 'across' | 'down';
  width: number;
  height: number;
  cells: Cell[];
  /** One for each conveyor. */
  belts: { x: number; y: number; w: number; h: number }[];
}

export function boxHeight(device: Device): number {
  const p = partsOf(device);
  const rows = p.bars.length + p.plain.length;
  return METRICS.head + METRICS.big + rows * METRICS.row + (p.lamps.length > 0 ? METRICS.lamps : 8);
}

/** Places a line's stations and belts in a picture of the given width. */
export function arrange(line: Line, width: number): Arrangement {
  const n = line.stations.length;
  const slot = (width - 2 * METRICS.margin - (n - 1) * METRICS.gap) / n;
  return slot >= METRICS.stationMin ? across(line, width, slot) : down(line, width);
}

function across(line: Line, width: number, slot: number): Arrangement {
  const m = METRICS;
  const w = Math.min(slot, m.stationMax);
  const step = line.stations.length > 1 ? (width - 2 * m.margin - w) / (line.stations.length - 1) : 0;
  const above = Math.max(0, ...line.stations.map((s) => s.attached.length)) * m.attached;
  const h = Math.max(...line.stations.map((s) => boxHeight(s.device)));
  const cells = line.stations.map((_, i) => ({ x: m.margin + i * step, y: above, w, h, above }));
  let y = above + h + m.tool;
  const belts = line.conveyors.map(() => {
    const belt = { x: m.margin, y, w: width - 2 * m.margin, h: m.belt };
    y += m.belt + m.caption;
    return belt;
  });
  return { mode: 'across', width, height: y + (belts.length > 0 ? 4 : 0), cells, belts };
}

function down(line: Line, width: number): Arrangement {
  const m = METRICS;
  const side = line.conveyors.length > 0 ? line.conveyors.length * m.chute : 0;
  const top = line.conveyors.length > 0 ? m.caption * line.conveyors.length : 0;
  let y = top;
  const cells = line.stations.map((s) => {
    const above = s.attached.length * m.attached;
    const h = boxHeight(s.device);
    const cell = { x: side + m.margin, y: y + above, w: width - side - 2 * m.margin, h, above };
    y += above + h + m.gap;
    return cell;
  });
  const height = y - m.gap + 6;
  const belts = line.conveyors.map((_, i) => ({
    x: m.margin + i * m.chute,
    y: top + 4,
    w: m.belt + 6,
    h: height - top - 8,
  }));
  return { mode: 'down', width, height, cells, belts };
}
