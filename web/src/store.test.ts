import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action, Alert, Topic } from './api';
import { actions, alerts, applyActions, applyAlerts, applyEvents, events, hearTopic, isActive, qualityFor, replaceTopics, topics, withValues } from './store';

const topic = (name: string, last_ms: number, values: [number, number][]) =>
  ({ topic: name, count: 1, first_ms: 0, last_ms, kind: 'json', payload: '', fields: [{ path: 'a', type: 'number', count: values.length, min: 0, max: 9, words: null, last: 1, values }] }) as unknown as Topic;
const valuesOf = (x: Topic | undefined) => x?.fields?.[0]?.values.map(([ts]) => ts);

test('a new value goes behind those that are known, and the oldest make room', () => {
  const known = topic('t', 3, [[1, 1], [2, 2], [3, 3]]);
  assert.deepEqual(valuesOf(withValues(topic('t', 4, [[4, 4]]), known)), [1, 2, 3, 4]);
  assert.deepEqual(valuesOf(withValues(topic('t', 3, [[3, 5]]), known)), [1, 2, 3], 'the same value once');
  const many = topic('t', 32, Array.from({ length: 32 }, (_, i) => [i + 1, i]));
  assert.deepEqual(valuesOf(withValues(topic('t', 33, [[33, 0]]), many))?.slice(0, 1), [2]);
  assert.deepEqual(valuesOf(withValues(topic('t', 9, [[9, 9]]), undefined)), [9]);
});

test('topics stand by name, so that nothing moves when another speaks', () => {
  replaceTopics([topic('b', 1, [[1, 1]]), topic('a', 2, [[2, 2]])], [], Date.now());
  hearTopic(topic('b', 9, [[9, 9]]));
  assert.deepEqual(topics.value.map((x) => x.topic), ['a', 'b']);
  assert.deepEqual(valuesOf(topics.value[1]), [1, 9]);
});

test('a whole list replaces what it could know of, and nothing that was heard since it was asked for', () => {
  replaceTopics([topic('old', 1, [])], [], Date.now() + 1);
  const asked_ms = Date.now() - 1000;
  hearTopic(topic('young', 2, []));
  replaceTopics([topic('new', 3, [])], [], asked_ms);
  assert.deepEqual(topics.value.map((x) => x.topic), ['new', 'young']);
  replaceTopics([topic('new', 3, [])], [], Date.now() + 1);
  assert.deepEqual(topics.value.map((x) => x.topic), ['new']);
});

test('a shelved alert needs nobody, and is kept', () => {
  const alert = (id: number, state: string, until: number | null) => ({ id, state, raised_ms: id, shelved_until_ms: until }) as unknown as Alert;
  applyAlerts([alert(1, 'unacknowledged', null), alert(2, 'unacknowledged', 9), alert(3, 'normal', null), alert(4, 'normal', 9)]);
  assert.deepEqual(alerts.value.filter(isActive).map((a) => a.id), [1]);
  applyAlerts([alert(2, 'unacknowledged', null)]);
  assert.deepEqual(alerts.value.filter(isActive).map((a) => a.id), [2, 1]);
});

test('an answer that comes behind the feed does not take an outcome back', () => {
  const action = (state: string, outcome_ms: number | null) => ({ id: 'a', state, requested_ms: 1, outcome_ms }) as unknown as Action;
  applyActions([action('sent', null)]);
  applyActions([action('confirmed', 4)]);
  applyActions([action('waiting', null)]);
  assert.deepEqual(actions.value.map((a) => a.state), ['confirmed']);
});

test('of two words about an event the one that counts further holds', () => {
  const heard = (event: string, count: number, ms: number) => ({ device: 'hall.door', event, count, times_ms: [ms] });
  applyEvents([heard('opened', 2, 20), heard('forced', 1, 5)]);
  applyEvents([heard('opened', 1, 10)]);
  assert.deepEqual(events.value.map((e) => [e.event, e.count]), [['opened', 2], ['forced', 1]]);
  applyEvents([heard('forced', 2, 30)]);
  assert.deepEqual(events.value.map((e) => [e.event, e.count]), [['forced', 2], ['opened', 2]]);
  applyEvents([heard('opened', 1, 40)]);
  assert.deepEqual(events.value.map((e) => [e.event, e.count]), [['opened', 1], ['forced', 2]], 'the site began to count anew');
});

test('a good value that was measured long ago is stale to a reader', () => {
  const now = 10_000_000;
  assert.equal(qualityFor({ stale_ms: 5000 }, now - 59_000, 'good', now), 'good', 'clocks differ by a little');
  assert.equal(qualityFor({ stale_ms: 5000 }, now - 61_000, 'good', now), 'stale');
  assert.equal(qualityFor({ stale_ms: 900_000 }, now - 600_000, 'good', now), 'good', 'it may come that seldom');
  assert.equal(qualityFor({ stale_ms: null }, 1, 'good', now), 'good', 'nothing says how old it may be');
  assert.equal(qualityFor({ stale_ms: 5000 }, now - 61_000, 'bad', now), 'bad');
  assert.equal(qualityFor({ stale_ms: 5000 }, null, 'none', now), 'none');
});
