import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device, Property, ValueType } from './api';
import { arrange, attentionFirst, boxHeight, parentOf, partsOf, planOf, tilesBeside } from './layout';

function property(spec: string): Property {
  const [name = '', type = 'float', max] = spec.split(':');
  return {
    name,
    series: 0,
    type: type as ValueType,
    unit: null,
    min: max ? 0 : null,
    max: max ? Number(max) : null,
    value: null,
    ts_ms: null,
    quality: 'none',
    stale_ms: null,
  };
}

function device(name: string, ...specs: string[]): Device {
  return { name, model: 'M', id: null, topic: null, owner: null, properties: specs.map(property), actions: [], events: [] };
}

const factory = [
  device('plant.press1', 'temperature', 'load:float:100', 'parts:int', 'running:bool'),
  device('plant.oven', 'temperature', 'load:float:100'),
  device('plant.press1.coolant', 'position:float:100'),
  device('plant.belt', 'speed:float:2'),
  device('plant.meter', 'power:float:500'),
];

test('a line is found from what the devices measure', () => {
  const plan = planOf(factory);
  assert.equal(plan.lines.length, 1);
  assert.deepEqual(plan.lines[0]?.stations.map((s) => s.device.name), ['plant.press1', 'plant.oven']);
  assert.deepEqual(plan.lines[0]?.stations[0]?.attached.map((d) => d.name), ['plant.press1.coolant']);
  assert.deepEqual(plan.lines[0]?.conveyors.map((d) => d.name), ['plant.belt']);
  assert.deepEqual(plan.tiles.map((d) => d.name), ['plant.meter']);
});

test('a site of another kind is all tiles, in its order', () => {
  const home = [
    device('home.living.motion', 'present:bool'),
    device('home.cellar', 'temperature'),
    device('home.cellar.pump', 'running:bool'),
    device('garden.belt', 'speed'),
  ];
  const plan = planOf(home);
  assert.equal(plan.lines.length, 0);
  assert.deepEqual(plan.tiles.map((d) => d.name), home.map((d) => d.name));
});

test('no device is lost and none is shown twice', () => {
  const odd = [...factory, device('plant.belt.motor', 'current'), device('x', 'temperature'), device('x.y.z', 'on:bool')];
  const plan = planOf(odd);
  const shown = [
    ...plan.tiles,
    ...plan.lines.flatMap((l) => [...l.conveyors, ...l.stations.flatMap((s) => [s.device, ...s.attached])]),
  ].map((d) => d.name);
  assert.deepEqual([...shown].sort(), odd.map((d) => d.name).sort());
});

test('a building full of thermometers is no line', () => {
  const room = (n: number) => ({ ...factory[0]!, name: `floor.room${n}` });
  const rooms = (n: number) => planOf(Array.from({ length: n }, (_, i) => room(i)));
  assert.deepEqual([rooms(8).lines.length, rooms(8).tiles.length], [1, 0]);
  assert.deepEqual([rooms(9).lines.length, rooms(9).tiles.length], [0, 9]);
});

test('parents are by whole parts of the name', () => {
  const names = new Set(['plant.press1', 'plant.press1.coolant']);
  assert.equal(parentOf('plant.press10', names), null);
  assert.equal(parentOf('plant.press1.coolant.coil', names), 'plant.press1.coolant');
  assert.equal(parentOf('plant.press1', names), null);
});

test('parts of a box', () => {
  const parts = partsOf(factory[0]!);
  assert.equal(parts.temperature?.name, 'temperature');
  assert.deepEqual(parts.bars.map((p) => p.name), ['load']);
  assert.deepEqual(parts.plain.map((p) => p.name), ['parts']);
  assert.deepEqual(parts.lamps.map((p) => p.name), ['running']);
});

test('boxes stay inside the picture and do not overlap', () => {
  const line = planOf(factory).lines[0]!;
  for (const width of [320, 360, 520, 700, 1000, 1600]) {
    const a = arrange(line, width);
    assert.equal(a.mode, width < 430 ? 'down' : 'across', `mode at ${width}`);
    for (const [i, cell] of a.cells.entries()) {
      assert.ok(cell.x >= 0 && cell.x + cell.w <= width + 0.01, `cell ${i} at ${width}`);
      assert.ok(cell.y + cell.h <= a.height, `cell ${i} at ${width} is too low`);
      const next = a.cells[i + 1];
      if (!next) continue;
      if (a.mode === 'across') assert.ok(cell.x + cell.w <= next.x);
      else assert.ok(cell.y + cell.h <= next.y - next.above);
    }
    for (const belt of a.belts) assert.ok(belt.x + belt.w <= width && belt.y + belt.h <= a.height);
  }
});

test('a box is as high as what it shows', () => {
  assert.ok(boxHeight(factory[0]!) > boxHeight(factory[1]!));
});

test('what needs somebody stands in front of what is too much to be shown at once', () => {
  const names = ['a', 'b', 'c', 'd'];
  const needs = (x: string) => x === 'd' || x === 'b';
  assert.deepEqual(attentionFirst(names, 3, needs), ['b', 'd', 'a', 'c']);
  assert.deepEqual(attentionFirst(names, 4, needs), names, 'all are shown: none moves');
});

test('a few tiles stand beside the line, more of them below it', () => {
  const plan = planOf(factory);
  const tiles = (n: number) => Array.from({ length: n }, () => plan.tiles[0]!);
  assert.ok(tilesBeside(plan));
  assert.ok(!tilesBeside({ ...plan, tiles: tiles(8) }));
  assert.ok(!tilesBeside({ lines: [], tiles: tiles(1) }));
});
