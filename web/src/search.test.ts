import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert, Program, Site, Topic } from './api';
import { chooseLanguage } from './i18n';
import { entriesOf, find } from './search';

const property = (name: string) => ({ name, series: 0, type: 'float' as const, unit: '°C', min: null, max: null, value: null, ts_ms: null, quality: 'none' as const, stale_ms: null });
const device = (name: string, model: string, id: string | null) => ({
  name, model, id, topic: 'line1/press1', link: { kind: 'mqtt', text: 'line1/press1', online: null, why: null, unreadable: 0 }, owner: null, lease: null, properties: [property('temperature')], actions: [{ name: 'open', params: [], confirms: null, safe: false }], events: [],
});
const site = { devices: [device('plant.press1', 'Station', 'urn:press:7781'), device('plant.press10', 'Station', null), device('plant.oven', 'Station', null)] } as unknown as Site;
const programs = [{ name: 'line_guard', file: 'line_guard.sedge', rules: [{ path: 'line_guard/when#1', line: 15, text: 'when temp > 80 °C', state: 'idle', fired: 0, fired_ms: null }] }] as unknown as Program[];
const alerts = [{ id: 7, severity: 'critical', text: 'plant.oven is jammed', state: 'unacknowledged' }] as unknown as Alert[];
const topics = [
  { topic: 'tele/plug1/SENSOR', payload: '{}', device: null },
  { topic: 'line1/oven', payload: 'x', device: 'plant.oven' },
] as unknown as Topic[];
const entries = entriesOf({ site, programs, alerts, topics });
const first = (text: string) => find(text, entries)[0];

test('every kind of thing is found by its name, and its address leads there', () => {
  const cases: [string, string, string][] = [
    ['plant.press1', 'device', '#/device/plant.press1'],
    ['press1.temp', 'property', '#/device/plant.press1?property=temperature'],
    ['oven open', 'command', '#/device/plant.oven?command=open'],
    ['line_guard', 'program', '#/program/line_guard'],
    ['temp > 80', 'rule', '#/program/line_guard?line=15'],
    ['jammed', 'alert', '#/alerts?alert=7'],
    ['plug1', 'topic', '#/adopt/tele%2Fplug1%2FSENSOR'],
    ['settings', 'screen', '#/settings'],
  ];
  for (const [text, kind, href] of cases) assert.deepEqual([first(text)?.kind, first(text)?.href], [kind, href], text);
});

test('an unreadable topic leads to its device, an id to the device that has it', () => {
  assert.equal(first('line1/oven')?.href, '#/device/plant.oven');
  assert.equal(first('7781')?.href, '#/device/plant.press1');
});

test('what is named exactly comes before what begins like it', () => {
  const found = find('plant.press1', entries).map((e) => e.title);
  assert.equal(found[0], 'plant.press1');
  assert.ok(found.includes('plant.press10'));
});

test('all words must be found, and letters in their order will do', () => {
  assert.deepEqual(find('oven nowhere', entries), []);
  assert.equal(first('plgrd')?.title, undefined);
  assert.equal(first('lngrd')?.title, 'line_guard');
});

test('nothing typed shows the screens, whose names are found in both languages', () => {
  assert.ok(find('  ', entries).every((e) => e.kind === 'screen'));
  assert.equal(first('报警')?.href, '#/alerts');
  chooseLanguage('zh');
  const chinese = entriesOf({ site: null, programs: [], alerts: [], topics: [] });
  chooseLanguage('en');
  assert.equal(find('alerts', chinese)[0]?.title, '报警');
});
