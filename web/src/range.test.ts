import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLocal, held, isLive, pan, rangeOf, rangeQuery, toLocal, zoom, zoomAt } from './range';

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

test('what is under the fingers follows them', () => {
  const r = { span: hour, to: now - 10 * hour };
  assert.deepEqual(held(r, [{ from: 0.2, to: 0.7 }], now), { span: hour, to: r.to - hour / 2 }, 'one drags');
  assert.deepEqual(held(r, [{ from: 0.4, to: 0.2 }, { from: 0.6, to: 0.8 }], now), { span: hour / 3, to: r.to - hour / 3 }, 'two spread');
  const wide = held(r, [{ from: 0.1, to: 0.4 }, { from: 0.9, to: 0.6 }], now);
  assert.deepEqual(wide, { span: 4 * hour, to: r.to + 1.5 * hour }, 'two pinch');
  assert.deepEqual(held(r, [], now), r);
});

test('fingers find the ends: the present, the shortest span, and each other', () => {
  assert.deepEqual(held({ span: hour, to: now - 60_000 }, [{ from: 0.9, to: 0.1 }], now), { span: hour, to: null });
  assert.deepEqual(held({ span: hour, to: null }, [{ from: 0.5, to: 0.5 }], now), { span: hour, to: null });
  assert.equal(held({ span: 6000, to: now - hour }, [{ from: 0.45, to: 0 }, { from: 0.55, to: 1 }], now).span, 5000);
  assert.equal(held({ span: hour, to: now - hour }, [{ from: 0.2, to: 0.5 }, { from: 0.8, to: 0.5 }], now).span, hour);
});

test('two moments of the reader make a range, to the second', () => {
  const from = now - hour;
  assert.deepEqual(fromLocal(toLocal(from), toLocal(now - 60_000), now), { span: hour - 60_000, to: now - 60_000 });
  assert.deepEqual(fromLocal(toLocal(from), toLocal(now), now), { span: hour, to: null });
  assert.equal(fromLocal(toLocal(now), toLocal(from), now), null);
  assert.equal(fromLocal('', toLocal(now), now), null);
});
