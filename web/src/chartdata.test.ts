import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Property, Window } from './api';
import { gapOf, linePoints, rawColumns, ringColumns, summary, valueAt, windowColumns } from './chartdata';
import { Ring } from './ring';

const property = { name: 'x', stale_ms: 5000 } as Property;
const free = { name: 'x', stale_ms: null } as Property;

test('missing samples are a gap, not a line', () => {
  const c = rawColumns([[1000, 1], [2000, 2], [9000, 3]], 5000);
  assert.deepEqual(c.mean, [1, 2, null, 3]);
  assert.deepEqual(c.x, [1, 2, 2.001, 9]);
});

test('a value that cannot be drawn breaks the line', () => {
  assert.deepEqual(rawColumns([[1000, 1], [2000, NaN], [3000, 3]], 5000).mean, [1, null, 3]);
});

test('without a declared staleness the usual step decides', () => {
  assert.equal(gapOf(property, [0, 1000]), 5000);
  assert.equal(gapOf(free, [0, 1000, 2000]), 60_000);
  assert.equal(gapOf(free, [0, 10_000, 20_000]), 200_000);
});

test('the ring gives the window and one sample before it', () => {
  const ring = new Ring(10);
  for (let i = 1; i <= 6; i++) ring.push(i * 1000, i);
  assert.deepEqual(ringColumns(ring, property, 4000).mean, [3, 4, 5, 6]);
});

test('windows become a band and a mean, with gaps', () => {
  const w = (t: number, min: number, max: number, mean: number): Window => [t, 5, min, max, mean, min, max];
  const c = windowColumns([w(0, 1, 3, 2), w(10_000, 2, 4, 3), w(60_000, 5, 7, 6)], 10_000, property);
  assert.deepEqual(c.mean, [2, 3, null, 6]);
  assert.deepEqual(c.low, [1, 2, null, 5]);
  assert.deepEqual(c.high, [3, 4, null, 7]);
  assert.deepEqual(summary(c, 0, 100), { min: 1, mean: 11 / 3, max: 7 });
});

test('x never runs backwards', () => {
  const w = (t: number): Window => [t, 1, 0, 0, 0, 0, 0];
  const c = windowColumns([w(0), w(1000), w(2000), w(200_000), w(201_000)], 1000, property);
  for (let i = 1; i < c.x.length; i++) assert.ok(c.x[i]! >= c.x[i - 1]!);
});

test('a summary of nothing is nothing', () => {
  assert.equal(summary(rawColumns([], 5000), 0, 10), null);
});

test('at a moment stands the last value before it, and none in a gap', () => {
  const c = rawColumns([[1000, 1], [2000, 2], [9000, 3]], 5000);
  assert.deepEqual([0.5, 1, 1.9, 2, 5, 9, 20].map((at) => valueAt(c, at)), [null, 1, 1, 2, null, 3, 3]);
});

test('a small line fills its place, a flat one lies in the middle, words make none', () => {
  assert.deepEqual(linePoints([[0, 1], [10, 3], [20, 2]], 104, 24, 2), [[2, 22], [52, 2], [102, 12]]);
  assert.deepEqual(linePoints([[0, 5], [10, null], [20, 5]], 104, 24, 2), [[2, 12], [102, 12]]);
  assert.deepEqual(linePoints([[0, false], [10, true]], 104, 24, 2), [[2, 22], [102, 2]]);
  assert.deepEqual(linePoints([[7, 1]], 104, 24, 2), [[102, 12]]);
  assert.deepEqual(linePoints([[0, 'ON'], [1, 'OFF']], 104, 24, 2), []);
});
