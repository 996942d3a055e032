// What the page knows, as signals.  Only live.ts writes here; components read.
//
// A site with hundreds of series changes several times a second, so each
// series has a signal of its own: a sample re-renders the places that show it
// and nothing else.  Everything that grows has a limit.

import { batch, computed, signal, type Signal } from '@preact/signals';
import type { Action, Alert, Device, FoundThing, HeardEvent, Program, Property, Quality, Rule, Site, Topic, Value } from './api';
import { Ring } from './ring';

export const RING_MAX = 4000;
const ALERTS_MAX = 500;
const ACTIONS_MAX = 300;
const TOPICS_MAX = 500;
const EVENTS_MAX = 500;
const VALUES_MAX = 32;

export interface Reading {
  value: Value | null;
  ts_ms: number | null;
  quality: Quality;
}

export interface Series {
  name: string;
  device: string;
  property: Property;
  reading: Signal<Reading>;
  ring: Ring;
  /** Counts changes of the ring: charts listen to it. */
  version: Signal<number>;
  /** Whether the ring reaches back into history already. */
  filled: 'no' | 'loading' | 'yes' | 'failed';
}

export interface Link {
  state: 'connecting' | 'live' | 'lost';
  since_ms: number;
}

export const site = signal<Site | null>(null);
export const programs = signal<Program[]>([]);
export const alerts = signal<Alert[]>([]);
export const actions = signal<Action[]>([]);
/** Of the devices whose events were asked for or told of lately. */
export const events = signal<HeardEvent[]>([]);
export const topics = signal<Topic[]>([]);
export const topicsDropped = signal(0);
/** What speaks on the topics, in the server's order: what can be adopted first. */
export const things = signal<FoundThing[]>([]);
export const adoptable = computed(() => things.value.filter((x) => x.adopt !== null));
export const link = signal<Link>({ state: 'connecting', since_ms: Date.now() });
/** Count the server's word that a run of the tests began or ended, and that another site was taken. */
export const testsChanged = signal(0);
export const siteTaken = signal(0);
/** A passing word to the reader, such as that updates were skipped. */
export const notice = signal<string | null>(null);

/** The server's clock, in whole seconds' steps: ages count from it. */
export const now = signal(Date.now());
let clockOffset_ms = 0;

/** Without a declared staleness a value stays good for ever; after this long the page says its age. */
export const OLD_MS = 60_000;

export const serverNow = (): number => Date.now() + clockOffset_ms;
export const tick = (): void => {
  now.value = serverNow();
};

const byName = new Map<string, Series>();
let byIndex: (Series | undefined)[] = [];

export const seriesOf = (device: string, property: string): Series | undefined =>
  byName.get(`${device}.${property}`);
export const seriesNamed = (name: string): Series | undefined => byName.get(name);
export const seriesAt = (index: number): Series | undefined => byIndex[index];
export const deviceNamed = (name: string): Device | undefined =>
  site.value?.devices.find((d) => d.name === name);

export function ruleOf(program: string | null, path: string | null): Rule | undefined {
  if (!program || !path) return undefined;
  return programs.value.find((p) => p.name === program)?.rules.find((r) => r.path === path);
}

/** NaN for what a chart can't draw: no value, text, or a value that can't be trusted. */
export function drawable(value: Value | null, quality: Quality): number {
  if (quality === 'bad' || quality === 'none') return NaN;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' ? value : NaN;
}

function adopt(device: Device, property: Property): Series {
  const name = `${device.name}.${property.name}`;
  let series = byName.get(name);
  if (!series) {
    series = {
      name,
      device: device.name,
      property,
      reading: signal<Reading>({ value: null, ts_ms: null, quality: 'none' }),
      ring: new Ring(RING_MAX),
      version: signal(0),
      filled: 'no',
    };
    byName.set(name, series);
  }
  series.property = property;
  take(series, property.ts_ms, property.value, property.quality);
  return series;
}

/** The server's "good" is about when a value came. One that was measured long before (a gateway empties its buffer, a
 *  clock is behind) is old news to a reader, and says so. */
export function qualityFor(p: Pick<Property, 'stale_ms'>, ts_ms: number | null, quality: Quality, now_ms: number): Quality {
  const old = quality === 'good' && ts_ms !== null && p.stale_ms !== null && now_ms - ts_ms > Math.max(p.stale_ms, OLD_MS);
  return old ? 'stale' : quality;
}

/** The newest reading wins; a change of quality at the same time counts as newer. */
function take(series: Series, ts_ms: number | null, value: Value | null, said: Quality): void {
  const old = series.reading.peek();
  const quality = qualityFor(series.property, ts_ms, said, serverNow());
  if (old.ts_ms !== null && ts_ms !== null && ts_ms < old.ts_ms) return;
  if (old.ts_ms === ts_ms && old.value === value && old.quality === quality) return;
  series.reading.value = { value, ts_ms, quality };
}

function record(series: Series, ts_ms: number, value: Value | null, quality: Quality): void {
  // A stale reading is old news: its sample is in the ring already.
  if (quality === 'stale') return;
  series.ring.push(ts_ms, drawable(value, quality));
  series.version.value++;
}

/** Applies a fresh GET /api/site.  The page's tree is only rebuilt if the site's shape changed. */
export function applySite(fresh: Site): void {
  clockOffset_ms = fresh.now_ms - Date.now();
  batch(() => {
    const names = new Set<string>();
    byIndex = [];
    for (const device of fresh.devices) {
      for (const property of device.properties) {
        const series = adopt(device, property);
        byIndex[property.series] = series;
        names.add(series.name);
      }
    }
    for (const name of byName.keys()) if (!names.has(name)) byName.delete(name);
    programs.value = fresh.programs;
    if (shapeOf(fresh) !== shapeOf(site.peek())) site.value = fresh;
    now.value = serverNow();
  });
}

/** All of a site that isn't a live value, as text to compare. */
function shapeOf(s: Site | null): string {
  if (!s) return '';
  const devices = s.devices.map((d) => ({
    ...d,
    properties: d.properties.map((p) => ({ ...p, value: null, ts_ms: null, quality: null })),
  }));
  return JSON.stringify([s.name, s.run, s.version, s.durable, s.durable_why, devices, s.groups, s.server]);
}

export type Sample = [series: number, ts_ms: number, value: Value | null, quality: Quality];

export function applySamples(samples: Sample[]): void {
  batch(() => {
    for (const [index, ts_ms, value, quality] of samples) {
      const series = byIndex[index];
      if (!series) continue;
      take(series, ts_ms, value, quality);
      record(series, ts_ms, value, quality);
    }
  });
}

/** Puts older samples in front of what the feed brought meanwhile. */
export function applyHistory(series: Series, points: [number, Value][]): void {
  const young: [number, number][] = [];
  for (let i = 0; i < series.ring.length; i++) young.push([series.ring.time(i), series.ring.value(i)]);
  const first = young[0]?.[0] ?? Infinity;
  series.ring.clear();
  for (const [t, v] of points) if (t < first) series.ring.push(t, drawable(v, 'good'));
  for (const [t, v] of young) series.ring.push(t, v);
  series.version.value++;
}

function upsert<T extends { id: number | string }>(list: T[], fresh: T[], key: (x: T) => number, max: number): T[] {
  const all = new Map(list.map((x) => [x.id, x]));
  for (const x of fresh) all.set(x.id, x);
  return [...all.values()].sort((a, b) => key(b) - key(a)).slice(0, max);
}

/** Out of the way for a while (ISA-18.2). */
export const isShelved = (a: Alert): boolean => (a.shelved_until_ms ?? null) !== null;
export const isOver = (a: Alert): boolean => a.state === 'normal';
/** Needs somebody: neither over nor shelved. */
export const isActive = (a: Alert): boolean => !isOver(a) && !isShelved(a);

export function applyAlerts(fresh: Alert[]): void {
  const all = upsert(alerts.peek(), fresh, (a) => a.raised_ms, Infinity);
  // What is not over is never what has to go.
  const active = all.filter((a) => !isOver(a) || isShelved(a));
  const rest = all.filter((a) => isOver(a) && !isShelved(a)).slice(0, Math.max(0, ALERTS_MAX - active.length));
  alerts.value = upsert(active, rest, (a) => a.raised_ms, Infinity);
}

/** After a reconnect: an alert that ended unseen must not stay on the page. */
export function replaceAlerts(fresh: Alert[]): void {
  alerts.value = [];
  applyAlerts(fresh);
}

const STEPS = { waiting: 0, sent: 1, confirmed: 2, failed: 2, denied: 2 };

/** An action only goes forward. A fast device has confirmed before the answer to the command is here,
 *  which still says `waiting`: the feed was quicker, and is right. */
export function applyActions(fresh: Action[]): void {
  const known = new Map(actions.peek().map((a) => [a.id, a]));
  const newer = fresh.filter((a) => STEPS[a.state] >= STEPS[known.get(a.id)?.state ?? 'waiting']);
  actions.value = upsert(actions.peek(), newer, (a) => a.requested_ms, ACTIONS_MAX);
}

/** One of a name and device replaces what was known, unless that is younger: an answer may be slower than the feed. The
 *  count alone does not tell: a site that lost its power, or its data, counts from an earlier number. */
export function applyEvents(fresh: HeardEvent[]): void {
  const key = (e: HeardEvent) => `${e.device} ${e.event}`;
  const all = new Map(events.peek().map((e) => [key(e), e]));
  const newest = (e: HeardEvent | undefined) => e?.times_ms[0] ?? 0;
  for (const e of fresh) {
    const old = all.get(key(e));
    if (e.count >= (old?.count ?? 0) || newest(e) > newest(old)) all.set(key(e), e);
  }
  events.value = [...all.values()].sort((a, b) => newest(b) - newest(a)).slice(0, EVENTS_MAX);
}

/** The feed brings the newest value of each field: it goes behind those that are known. */
export function withValues(fresh: Topic, old: Topic | undefined): Topic {
  if (!old?.fields || !fresh.fields) return fresh;
  const fields = fresh.fields.map((f) => {
    const known = old.fields?.find((o) => o.path === f.path)?.values ?? [];
    const first = f.values[0]?.[0] ?? Infinity;
    return { ...f, values: [...known.filter(([ts]) => ts < first), ...f.values].slice(-VALUES_MAX) };
  });
  return { ...fresh, fields };
}

/** When the feed told of a topic, by the reader's clock. */
const heard = new Map<string, number>();

/** The whole list as it was asked for at `asked_ms`: it does not know what the feed has told since. */
export function replaceTopics(fresh: Topic[], found: FoundThing[], asked_ms: number): void {
  things.value = found;
  const known = new Set(fresh.map((x) => x.topic));
  const younger = topics.peek().filter((x) => !known.has(x.topic) && (heard.get(x.topic) ?? 0) >= asked_ms);
  heard.clear();
  for (const x of younger) heard.set(x.topic, asked_ms);
  keepTopics([...fresh, ...younger]);
}

/** News of some: what is known of their values is kept. False: nobody has said yet of what thing it is. */
export function hearTopic(topic: Topic): boolean {
  heard.set(topic.topic, Date.now());
  const map = new Map(topics.peek().map((x) => [x.topic, x]));
  map.set(topic.topic, withValues(topic, map.get(topic.topic)));
  keepTopics([...map.values()]);
  // Where the list had it is where it stays: alone it can't always say whose it is.
  return things.peek().some((x) => x.topics.includes(topic.topic));
}

function keepTopics(all: Topic[]): void {
  // By name, so that nothing moves under the reader's hand; the newest when there is no room for all.
  const kept = all.sort((a, b) => b.last_ms - a.last_ms).slice(0, TOPICS_MAX);
  topics.value = kept.sort((a, b) => (a.topic < b.topic ? -1 : 1));
}

/** A device's link came or went. */
function withProblems(properties: Property[], problems: Record<string, string>): Property[] {
  return properties.map((p) => (p.why === (problems[p.name] ?? null) ? p : { ...p, why: problems[p.name] ?? null }));
}

export function applyLink(change: { device: string; online: boolean | null; why: string | null; problems: Record<string, string> }): void {
  const known = site.peek();
  if (!known) return;
  const devices = known.devices.map((d) => (d.name === change.device ? { ...d, link: { ...d.link, online: change.online, why: change.why }, properties: withProblems(d.properties, change.problems) } : d));
  site.value = { ...known, devices };
}

export function applyRule(change: Pick<Rule, 'path' | 'state' | 'fired' | 'fired_ms'> & { program: string }): void {
  programs.value = programs.peek().map((p) =>
    p.name !== change.program
      ? p
      : { ...p, rules: p.rules.map((r) => (r.path === change.path ? { ...r, state: change.state, fired: change.fired, fired_ms: change.fired_ms } : r)) },
  );
}

/** Charts that are shown again read the last minutes anew. */
export function forgetFills(): void {
  for (const series of byName.values()) {
    series.filled = 'no';
    series.version.value++;
  }
}
