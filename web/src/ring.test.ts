import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ring } from './ring';

function times(ring: Ring): number[] {
  return Array.from({ length: ring.length }, (_, i) => ring.time(i));
}

test('a full ring forgets the oldest', () => {
  const ring = new Ring(3);
  for (const t of [1, 2, 3, 4, 5]) ring.push(t, t * 10);
  assert.deepEqual(times(ring), [3, 4, 5]);
  assert.equal(ring.value(2), 50);
});

test('a late sample finds its place', () => {
  const ring = new Ring(8);
  for (const t of [1, 3, 5]) ring.push(t, t);
  ring.push(2, 22);
  assert.deepEqual(times(ring), [1, 2, 3, 5]);
  assert.equal(ring.value(1), 22);
});

test('a late sample in a full ring pushes out the oldest', () => {
  const ring = new Ring(3);
  for (const t of [1, 2, 4, 6]) ring.push(t, t);
  ring.push(5, 55);
  assert.deepEqual(times(ring), [4, 5, 6]);
  assert.equal(ring.value(1), 55);
  ring.push(3, 33);
  assert.deepEqual(times(ring), [4, 5, 6], 'older than all that is kept');
});

test('the same time replaces', () => {
  const ring = new Ring(4);
  for (const t of [1, 2, 3]) ring.push(t, t);
  ring.push(2, 9);
  ring.push(3, 8);
  assert.deepEqual(times(ring), [1, 2, 3]);
  assert.equal(ring.value(1), 9);
  assert.equal(ring.value(2), 8);
});

test('lowerBound finds the first at or after', () => {
  const ring = new Ring(4);
  for (const t of [10, 20, 30, 40, 50]) ring.push(t, t);
  assert.equal(ring.lowerBound(0), 0);
  assert.equal(ring.lowerBound(30), 1);
  assert.equal(ring.lowerBound(31), 2);
  assert.equal(ring.lowerBound(99), 4);
});
