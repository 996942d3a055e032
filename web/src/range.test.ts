import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLive, pan, rangeOf, rangeQuery, zoom } from './range';

const now = 1_764_000_000_000;
const hour = 3_600_000;

test('panning moves by half a window and ends in the present', () => {
  const back = pan({ span: hour, to: null }, -1, now);
  assert.deepEqual(back, { span: hour, to: now - hour / 2 });
  assert.deepEqual(pan(back, -1, now), { span: hour, to: now - hour });
  assert.deepEqual(pan(back, 1, now), { span: hour, to: null });
});

test('another span keeps the middle', () => {
  assert.deepEqual(zoom({ span: hour, to: now - 10 * hour }, 3 * hour, now), { span: 3 * hour, to: now - 9 * hour });
  assert.deepEqual(zoom({ span: hour, to: now - hour }, 24 * hour, now), { span: 24 * hour, to: null });
  assert.deepEqual(zoom({ span: hour, to: null }, 2 * hour, now), { span: 2 * hour, to: null });
});

test('the address keeps the range and forgets the usual', () => {
  const range = { span: hour, to: now };
  const query = new URLSearchParams(Object.entries(rangeQuery(range)).map(([k, v]) => [k, v ?? '']));
  assert.deepEqual(rangeOf(query), range);
  assert.deepEqual(rangeQuery(rangeOf(new URLSearchParams('span=nonsense&to=-3'))), { span: null, to: null });
  assert.ok(isLive(rangeOf(new URLSearchParams())));
  assert.ok(!isLive({ span: hour, to: null }));
});
