import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exploredOf, exploredQuery, lanesOf, SERIES_MAX } from './explorer';
import type { Series } from './store';

const series = (name: string, type: string, unit: string | null) => ({ name, property: { type, unit } }) as unknown as Series;

test('what is shown is read from the address, without repeats and within the limit', () => {
  const e = exploredOf(new URLSearchParams('s=a.b&s=c.d&s=a.b&w=60000&band=0'));
  assert.deepEqual(e, { names: ['a.b', 'c.d'], grain: 60_000, band: false });
  assert.deepEqual(exploredOf(new URLSearchParams('w=7')), { names: [], grain: 'auto', band: true });
  const many = new URLSearchParams(Array.from({ length: 12 }, (_, i) => ['s', `s${i}`]));
  assert.equal(exploredOf(many).names.length, SERIES_MAX);
});

test('and written into it, leaving out what is usual', () => {
  assert.deepEqual(exploredQuery({ names: ['a.b'], grain: 'auto', band: true }), { s: ['a.b'], w: null, band: null });
  assert.deepEqual(exploredQuery({ grain: 0 }), { w: '0' });
  assert.deepEqual(exploredQuery({ band: false }), { band: '0' });
});

test('series of one unit share a lane, and keep their colours', () => {
  const lanes = lanesOf([series('a', 'float', '°C'), series('b', 'float', 'kW'), series('c', 'float', '°C'), series('d', 'bool', null), series('e', 'int', null)]);
  assert.deepEqual(lanes.map((l) => [l.unit, l.series.map((s) => `${s.series.name}${s.colour}`).join(' ')]), [
    ['°C', 'a0 c2'], ['kW', 'b1'], ['bool', 'd3'], ['', 'e4'],
  ]);
});
