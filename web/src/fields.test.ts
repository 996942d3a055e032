import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Topic } from './api';
import { namedFields, tailOf } from './parts/fields';

const topic = (name: string, ...fields: [string, string][]) => ({ topic: name, fields: fields.map(([path, type]) => ({ path, type })) }) as unknown as Topic;

test('topics of one thing are told apart by what is not the same', () => {
  const plug = ['tele/plug1/SENSOR', 'tele/plug1/STATE', 'tele/plug1/LWT'];
  assert.deepEqual(plug.map((x) => tailOf(x, plug)), ['SENSOR', 'STATE', 'LWT']);
  const relay = ['shellies/a/relay/0', 'shellies/a/relay/0/power'];
  assert.deepEqual(relay.map((x) => tailOf(x, relay)), ['relay/0', 'power']);
  assert.equal(tailOf('alone', ['alone']), 'alone');
  assert.equal(tailOf('/', ['/', '/x']), '/');
});

test('a value has its topic beside it where its path does not say which one it is', () => {
  const named = (topics: Topic[]) => namedFields(topics).map((x) => `${x.place}|${x.field.path}`);
  assert.deepEqual(named([topic('t/a', ['Time', 'text'], ['Power', 'number']), topic('t/b', ['Time', 'text'], ['POWER', 'boolean'])]), ['|Power', '|POWER', 'a|Time', 'b|Time']);
  assert.deepEqual(named([topic('t/a', ['', 'number']), topic('t/b', ['', 'number'])]), ['a|', 'b|']);
  assert.deepEqual(named([topic('t/a', ['', 'number']), topic('t/b')]), ['|'], 'the other says nothing');
});
