import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLocal, isLive, pan, rangeOf, rangeQuery, toLocal, zoom, zoomAt } from './range';

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

test('zooming keeps the place under the cursor, and the present at the right edge', () => {
  const r = { span: hour, to: now - hour };
  const place = (x: { span: number; to: number | null }, at: number) => (x.to ?? now) - x.span * (1 - at);
  for (const at of [0, 0.25, 0.5, 1]) {
    const near = zoomAt(r, 0.5, at, now);
    assert.equal(near.span, hour / 2);
    assert.equal(place(near, at), place(r, at));
  }
  assert.deepEqual(zoomAt({ span: hour, to: null }, 2, 1, now), { span: 2 * hour, to: null });
  assert.equal(zoomAt({ span: hour, to: now - 1 }, 4, 0, now).to, null, 'never into the future');
  assert.equal(zoomAt({ span: 5000, to: now - hour }, 0.1, 0.5, now).span, 5000, 'not without end');
});

test('two moments of the reader make a range, to the second', () => {
  const from = now - hour;
  assert.deepEqual(fromLocal(toLocal(from), toLocal(now - 60_000), now), { span: hour - 60_000, to: now - 60_000 });
  assert.deepEqual(fromLocal(toLocal(from), toLocal(now), now), { span: hour, to: null });
  assert.equal(fromLocal(toLocal(now), toLocal(from), now), null);
  assert.equal(fromLocal('', toLocal(now), now), null);
});
