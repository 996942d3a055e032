import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, bytes, duration, moment, plain, shortName, shown, stepDigits, withUnit, digitsOf } from './format';

const thin = '\u202f';
const temperature = { type: 'float', unit: '°C', min: -20, max: 200 } as const;
const vibration = { type: 'float', unit: 'mm/s', min: 0, max: 50 } as const;
const energy = { type: 'float', unit: 'kWh', min: null, max: null } as const;
const parts = { type: 'int', unit: null, min: null, max: null } as const;

test('digits follow the declared range, then the size', () => {
  const rows: [number, { type: 'float' | 'int'; min: number | null; max: number | null }, string][] = [
    [61.234, temperature, '61.2'],
    [2.345, vibration, '2.35'],
    [12345.6, energy, '12,346'],
    [123.456, energy, '123.5'],
    [3.14159, energy, '3.14'],
    [0.01234, energy, '0.012'],
    [1234, parts, '1,234'],
    [0, energy, '0.00'],
  ];
  for (const [value, p, want] of rows) assert.equal(shown(value, p), want);
  const wide = { type: 'float' as const, min: 0, max: 4000 };
  assert.deepEqual([57.5, 1234, 0].map((v) => digitsOf(v, wide)), [1, 0, 0], 'a small value in a wide range');
});

test('a unit follows numbers only', () => {
  assert.equal(withUnit(61.2, temperature), `61.2${thin}°C`);
  assert.equal(withUnit(null, temperature), '–');
  assert.equal(withUnit(true, { type: 'bool', unit: null, min: null, max: null }), 'yes');
});

test('durations', () => {
  assert.equal(duration(412), `0.41${thin}s`);
  assert.equal(duration(4120), `4.1${thin}s`);
  assert.equal(age(12_900), `12${thin}s`);
  assert.equal(age(185_000), `3${thin}min 05${thin}s`);
  assert.equal(age(7_800_000), `2${thin}h 10${thin}min`);
  assert.equal(age(-5), `0${thin}s`);
});

test('a moment of another day names the day', () => {
  const noon = new Date(2026, 4, 3, 12, 0, 0).getTime();
  assert.equal(moment(noon, noon + 1000), '12:00:00');
  assert.match(moment(noon, noon + 86_400_000), /3 May 12:00:00/);
});

test('numbers of an argument and of an axis', () => {
  assert.equal(plain(0.4), '0.4');
  assert.equal(plain(80), '80');
  assert.deepEqual([1, 0.25, 0.5, 20, 0.001].map(stepDigits), [0, 2, 1, 0, 3]);
});

test('names and bytes', () => {
  assert.equal(shortName('plant.press1.coolant'), 'coolant');
  assert.equal(shortName('lamp'), 'lamp');
  assert.equal(bytes(12), `12${thin}B`);
  assert.equal(bytes(3 * 1024 * 1024), `3.0${thin}MiB`);
});
