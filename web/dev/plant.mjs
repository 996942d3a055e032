// A plausible factory for the page's development: it has the shapes of
// docs/http-api.md and moves, and that is all it promises.

import { discovered } from './extras.mjs';

const SECOND = 1000;

const prop = (name, type, unit, min, max, stale_ms = 5 * SECOND) => ({ name, type, unit, min, max, stale_ms });
const STATION = [
  prop('temperature', 'float', '°C', -20, 200),
  prop('vibration', 'float', 'mm/s', 0, 50),
  prop('load', 'float', '%', 0, 100),
  prop('parts', 'int', null, null, null, null),
  prop('running', 'bool', null, null, null, null),
  prop('jammed', 'bool', null, null, null),
];
const VALVE = [prop('position', 'float', '%', 0, 100)];
const OPEN = { name: 'open', params: [], confirms: 'position > 90 %', safe: false };
const CLOSE = { name: 'close', params: [], confirms: 'position < 5 %', safe: true };
const START = { name: 'start', params: [{ name: 'target', type: 'float', unit: 'm/s' }], confirms: 'speed > 0.05 m/s', safe: false };
const STOP = { name: 'stop', params: [], confirms: 'speed < 0.05 m/s', safe: true };

const device = (name, model, id, topic, owner, properties, actions = [], events = []) => ({
  name, model, id, topic, owner, properties, actions, events,
});

const DEVICES = [
  device('plant.press1', 'Station', 'urn:press:7781', 'line1/press1', null, STATION, [], ['jam']),
  device('plant.oven', 'Station', 'urn:oven:3310', 'line1/oven', null, STATION, [], ['jam']),
  device('plant.packer', 'Station', 'urn:packer:0042', 'line1/packer', null, STATION, [], ['jam']),
  device('plant.press1.coolant', 'Valve', 'urn:valve:11', 'line1/press1/coolant', 'line_guard', VALVE, [OPEN, CLOSE]),
  device('plant.oven.coolant', 'Valve', 'urn:valve:12', 'line1/oven/coolant', 'line_guard', VALVE, [OPEN, CLOSE]),
  device('plant.belt', 'Conveyor', 'urn:belt:1', 'line1/belt', 'line_guard', [prop('speed', 'float', 'm/s', 0, 2)], [START, STOP]),
  device('plant.meter', 'Meter', 'urn:meter:1', 'line1/meter', null,
    [prop('power', 'float', 'kW', 0, 500, 30 * SECOND), prop('energy', 'float', 'kWh', null, null, null)]),
  device('plant.tank', 'Tank', null, 'line1/tank', null, [prop('level', 'float', '%', 0, 100), prop('note', 'str', null, null, null, null)],
    [{ name: 'fill', params: [{ name: 'target', type: 'float', unit: '%' }], confirms: 'level > 50 %', safe: false }]),
];

const RULES = {
  'line_guard/st=plant.press1/when#1': [15, 'when temp > 80 °C for 2s'],
  'line_guard/st=plant.press1/when#2': [19, 'when temp > 110 °C for 1s'],
  'line_guard/st=plant.press1/when#3': [25, 'when slope(temp, 2min) > 12 K/min for 20s'],
  'line_guard/st=plant.press1/when#4': [28, 'when stale temp'],
  'line_guard/st=plant.packer/when#1': [38, 'when vib > 7.1 mm/s for 5s'],
  'line_guard/st=plant.oven/when#6': [39, 'when jammed for 1s'],
};
const ENERGY_RULES = {
  'energy/when#1': [8, 'when power > peak'],
  'energy/when#2': [9, 'when power > 90 kW for 30s'],
  'energy/every#1': [10, 'every 15min'],
};
const rulesOf = (table) =>
  Object.entries(table).map(([path, [line, text]]) => ({ path, line, text, until: null, state: 'idle', fired: 0, fired_ms: null }));

/** What a series was at a time before the plant ran: smooth, with the shifts of a day and an outage. */
export function past(name, t) {
  // Each series has a phase of its own.
  const phase = [...name].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 997, 7) / 160;
  const h = t / 3_600_000 + phase;
  const wobble = Math.sin(h * 7.3) + 0.5 * Math.sin(h * 23.1) + 0.25 * Math.sin(h * 171) + 0.12 * Math.sin(h * 900);
  const shift = Math.sin((h / 24) * 2 * Math.PI) > -0.5 ? 1 : 0.55;
  if (name.endsWith('temperature')) return (name.includes('packer') ? 12 : name.includes('oven') ? 33 : 38) + 26 * shift + 3.2 * wobble;
  if (name.endsWith('vibration')) return 1.8 + 0.4 * Math.abs(wobble);
  if (name.endsWith('load')) return 60 * shift + 6 * wobble;
  if (name.endsWith('position')) return Math.sin(h * 3.1) > 0.86 ? 100 : 0;
  if (name.endsWith('speed')) return shift > 0.8 ? 0.4 : 0.25;
  if (name.endsWith('power')) return 46 * shift + 5 * wobble;
  if (name.endsWith('energy')) return 9000 + (t - 1.79e12) / 72_000_000;
  if (name.endsWith('parts')) return Math.floor(Math.max(0, (t - 1.79e12) / 8_500_000));
  if (name.endsWith('running')) return true;
  if (name.endsWith('jammed')) return false;
  if (name.endsWith('level')) return 55 + 8 * wobble;
  return 0;
}

/** An outage every day, so that a chart has a gap to show. */
export const missing = (t) => (t / 60_000) % 1440 > 1180 && (t / 60_000) % 1440 < 1235;

/** How a device is reached: the meter and the tank by Modbus, the others by MQTT. */
function linkOf(d) {
  if (d.name === 'plant.meter') return { kind: 'modbus', text: 'modbus tcp://192.0.2.7:502 unit 3', online: true, why: null, unreadable: 0 };
  if (d.name === 'plant.tank') return { kind: 'modbus', text: 'modbus tcp://192.0.2.7:502 unit 7', online: false, why: 'no answer within 500 ms', unreadable: 0 };
  return { kind: 'mqtt', text: d.topic, online: null, why: null, unreadable: d.name === 'plant.packer' ? 3 : 0 };
}

const LEAST = { turns: 0, instructions: 0, overruns: 0, traps: 0, tasks: 1, heap_live: 2048, heap_bytes: 4096, heap_max: 1_048_576, gc_cycles: 0, gc_pause_max_ns: 21_000, error: null };

export class Plant {
  constructor({ emit, fault = 'overheat' }) {
    this.emit = emit;
    this.run = Math.random().toString(16).slice(2, 10);
    this.started_ms = Date.now();
    this.fault = fault;
    this.silent = false;
    this.alerts = [];
    this.actions = [];
    this.events = [{ device: 'plant.press1', event: 'jam', count: 3, times_ms: [260_000, 4_000_000, 91_000_000].map((ms) => this.started_ms - ms) }];
    this.kept = new Map();
    this.nextAlert = 1;
    this.nextAction = 1;
    this.programs = [
      { name: 'line_guard', file: 'line_guard.sedge', line: 8, state: 'running', owns: ['plant.belt', 'plant.press1.coolant', 'plant.oven.coolant'], reads: [0, 6], ...LEAST, rules: rulesOf(RULES) },
      { name: 'energy', file: 'energy.sedge', line: 3, state: 'running', owns: [], reads: [21], ...LEAST, rules: rulesOf(ENERGY_RULES) },
    ];
    this.topics = discovered(this.started_ms);
    let index = 0;
    this.devices = DEVICES.map((d) => ({
      ...d,
      link: linkOf(d),
      properties: d.properties.map((p) => ({ ...p, series: index++, value: null, ts_ms: null, quality: 'none' })),
    }));
    this.state = { heat: { press1: 64, oven: 58, packer: 31 }, valve: { press1: 0, oven: 0 }, target: { press1: 0, oven: 0 }, speed: 0.4, wanted: 0.4, energy: past('energy', Date.now()), parts: { press1: past('parts', Date.now()), oven: past('parts', Date.now()), packer: past('parts', Date.now()) }, slow: 0, boost: 0 };
    this.timer = setInterval(() => this.step(), 250);
    this.ticks = 0;
  }

  stop() {
    clearInterval(this.timer);
  }

  series(name) {
    for (const d of this.devices) for (const p of d.properties) if (`${d.name}.${p.name}` === name) return p;
    return null;
  }

  device(name) {
    return this.devices.find((d) => d.name === name) ?? null;
  }

  set(name, value, batch, quality = 'good') {
    const p = this.series(name);
    p.value = value;
    p.ts_ms = Date.now();
    p.quality = quality;
    const kept = this.kept.get(name) ?? [];
    kept.push([p.ts_ms, value]);
    if (kept.length > 20_000) kept.shift();
    this.kept.set(name, kept);
    batch.push([p.series, p.ts_ms, value, quality]);
  }

  /** What an outside client published. */
  publish(name, value) {
    const batch = [];
    this.set(name, value, batch);
    this.emit('samples', batch);
  }

  /** A device announces something. */
  announce(device, event) {
    const old = this.events.find((e) => e.device === device && e.event === event);
    const heard = { device, event, count: (old?.count ?? 0) + 1, times_ms: [Date.now(), ...(old?.times_ms ?? [])].slice(0, 16) };
    this.events = [heard, ...this.events.filter((e) => e !== old)];
    this.emit('event', heard);
  }

  step() {
    this.ticks++;
    const batch = [];
    if (!this.silent) this.measure(batch);
    else this.age(batch);
    if (batch.length > 0) this.emit('samples', batch);
    this.guard();
    for (const p of this.programs) {
      p.turns += p.name === 'line_guard' ? 4 : 1;
      p.instructions += p.name === 'line_guard' ? 212 : 17;
    }
  }

  measure(batch) {
    const s = this.state;
    s.slow += (Math.random() - 0.5) * 0.2 - s.slow * 0.02;
    const noise = (size) => (s.slow + (Math.random() - 0.5) * 0.15) * size;
    s.speed += (s.wanted - s.speed) * 0.3;
    if (this.fault === 'overheat' && this.ticks > 12) s.boost = Math.min(1, s.boost + 0.02);
    for (const [name, base] of [['press1', 64], ['oven', 58], ['packer', 31]]) {
      const load = name === 'packer' ? 38 : 62;
      const aim = base + (name === 'press1' ? s.boost * 60 : 0) - (s.valve[name] ?? 0) * 0.52;
      s.heat[name] += (aim - s.heat[name]) * 0.035 + noise(0.25);
      if (name in s.valve) s.valve[name] += (s.target[name] - s.valve[name]) * 0.45;
      if (this.ticks % 4 === 0 && s.speed > 0.05) s.parts[name] += Math.random() < 0.4 ? 1 : 0;
      this.set(`plant.${name}.temperature`, s.heat[name], batch);
      this.set(`plant.${name}.vibration`, (name === 'packer' ? 2.9 : 1.9) + noise(0.5), batch);
      this.set(`plant.${name}.load`, s.speed > 0.05 ? load + noise(6) : 4 + noise(1), batch);
      this.set(`plant.${name}.parts`, s.parts[name], batch);
      this.set(`plant.${name}.running`, s.speed > 0.05, batch);
      this.set(`plant.${name}.jammed`, false, batch);
    }
    for (const name of ['press1', 'oven']) this.set(`plant.${name}.coolant.position`, Math.max(0, s.valve[name]), batch);
    this.set('plant.belt.speed', Math.max(0, s.speed + noise(0.004)), batch);
    const power = 18 + s.speed * 70 + noise(1.5);
    s.energy += (power / 3600) * 0.25;
    this.set('plant.meter.power', power, batch);
    this.set('plant.meter.energy', s.energy, batch);
  }

  /** The plant is silent: values keep their time and turn stale. */
  age(batch) {
    const now = Date.now();
    for (const d of this.devices) {
      for (const p of d.properties) {
        if (p.quality !== 'good' || p.stale_ms === null || now - p.ts_ms < p.stale_ms) continue;
        p.quality = 'stale';
        batch.push([p.series, p.ts_ms, p.value, 'stale']);
      }
    }
  }

  rule(path, state) {
    const program = this.programs.find((p) => path.startsWith(`${p.name}/`));
    const rule = program.rules.find((r) => r.path === path);
    if (rule.state === state) return false;
    rule.state = state;
    if (state === 'active') {
      rule.fired++;
      rule.fired_ms = Date.now();
    }
    this.emit('rule', { program: program.name, ...rule });
    return state === 'active';
  }

  guard() {
    const hot = this.state.heat.press1;
    const cause = { series: 'plant.press1.temperature', value: hot, ts_ms: Date.now() };
    if (hot > 72 && hot < 80) this.rule('line_guard/st=plant.press1/when#1', 'holding');
    if (hot > 80 && this.rule('line_guard/st=plant.press1/when#1', 'active')) this.act('plant.press1.coolant', 'open', {}, this.by('line_guard/st=plant.press1/when#1'), cause);
    if (hot < 65 && this.series('plant.press1.coolant.position').value > 50 && this.rule('line_guard/st=plant.press1/when#1', 'idle'))
      this.act('plant.press1.coolant', 'close', {}, this.by('line_guard/st=plant.press1/when#1'), cause);
    if (hot > 76 && this.rule('line_guard/st=plant.press1/when#3', 'active')) this.raise('warning', 'plant.press1 heats up by 14.2 K/min', 'line_guard/st=plant.press1/when#3', 'plant.press1', cause);
    if (this.silent && this.series('plant.press1.temperature').quality === 'stale' && this.rule('line_guard/st=plant.press1/when#4', 'active'))
      this.raise('critical', 'plant.press1 lost its thermometer', 'line_guard/st=plant.press1/when#4', 'plant.press1', cause);
  }

  by(path) {
    const [program] = path.split('/');
    return { kind: 'program', program, rule: path, line: (RULES[path] ?? ENERGY_RULES[path])[0] };
  }

  raise(severity, text, path, deviceName, cause) {
    const by = this.by(path);
    const alert = {
      id: this.nextAlert++, severity, text, state: 'unacknowledged',
      source: { program: by.program, rule: path, line: by.line, device: deviceName }, cause,
      raised_ms: Date.now(), cleared_ms: null, acknowledged_ms: null, acknowledged_by: null, count: 1,
      shelved_ms: null, shelved_until_ms: null, shelved_by: null, shelved_why: null,
    };
    this.alerts.unshift(alert);
    this.emit('alert', alert);
    return alert;
  }

  clear(alert) {
    alert.cleared_ms = Date.now();
    alert.state = alert.acknowledged_ms === null ? 'returned' : 'normal';
    this.emit('alert', alert);
  }

  acknowledge(id, by) {
    const alert = this.alerts.find((a) => a.id === id);
    if (!alert) return { status: 404, detail: `no alert ${id}` };
    if (alert.acknowledged_ms !== null) return { status: 409, detail: `acknowledged by ${alert.acknowledged_by}` };
    alert.acknowledged_ms = Date.now();
    alert.acknowledged_by = by;
    alert.state = alert.state === 'returned' ? 'normal' : 'acknowledged';
    this.emit('alert', alert);
    return { status: 200, alert };
  }

  /** Puts an alert aside, or takes it back (null). */
  shelve(id, input) {
    const alert = this.alerts.find((a) => a.id === id);
    if (!alert) return { status: 404, detail: `no alert ${id}` };
    if (input && (alert.state === 'normal' || !input.why || !input.by)) return { status: alert.state === 'normal' ? 409 : 400, detail: 'it is over' };
    if (!input && !alert.shelved_until_ms) return { status: 409, detail: 'it is not shelved' };
    const now = Date.now();
    Object.assign(alert, { shelved_ms: input && now, shelved_until_ms: input && now + input.for_ms, shelved_by: input && input.by, shelved_why: input && input.why });
    this.emit('alert', alert);
    return { status: 200, alert };
  }

  /** A device that was adopted. */
  declare(name, model, topic) {
    let index = this.devices.flatMap((d) => d.properties).length;
    const type = { integer: 'int', number: 'float', boolean: 'bool' };
    this.devices = [...this.devices, {
      name, model, id: null, topic: null, owner: null, lease: null, actions: [], events: [], link: { kind: 'mapped', text: topic.topic, online: null, why: null, unreadable: 0 },
      properties: topic.fields.map((f) => ({ name: f.path.split('.').at(-1).toLowerCase() || 'value', type: type[f.type] ?? 'str', unit: null, min: null, max: null, stale_ms: null, series: index++, value: f.last, ts_ms: topic.last_ms, quality: 'good' })),
    }];
  }

  act(deviceName, name, args, by, cause) {
    const decl = this.device(deviceName).actions.find((a) => a.name === name);
    const action = {
      id: `9-${this.nextAction++}`, device: deviceName, action: name, args, state: 'waiting', by, cause,
      confirms: decl.confirms, attempts: 0, requested_ms: Date.now(), outcome_ms: null, why: null,
    };
    this.actions.unshift(action);
    this.emit('action', action);
    setTimeout(() => this.send(action), 40);
    return action;
  }

  send(action) {
    action.state = 'sent';
    action.attempts++;
    this.emit('action', action);
    const station = action.device.split('.')[1];
    if (action.device.endsWith('coolant')) this.state.target[station] = action.action === 'open' ? 100 : 0;
    if (action.device.endsWith('belt')) this.state.wanted = action.action === 'start' ? action.args.target : 0;
    const ignored = action.device.endsWith('tank');
    setTimeout(() => {
      if (ignored && action.attempts < 3) return this.send(action);
      action.state = ignored ? 'failed' : 'confirmed';
      action.why = ignored ? 'not confirmed within 2 s, 3 attempts' : null;
      action.outcome_ms = Date.now();
      this.emit('action', action);
      return undefined;
    }, 410);
  }

  /** Some alerts and actions of before, so that no list is empty. */
  seed() {
    const now = Date.now();
    const cause = { series: 'plant.packer.vibration', value: 7.42, ts_ms: now - 3_700_000 };
    const old = this.raise('warning', 'plant.packer vibrates at 7.4 mm/s: look at its bearings', 'line_guard/st=plant.packer/when#1', 'plant.packer', cause);
    Object.assign(old, { raised_ms: now - 3_700_000, cleared_ms: now - 3_100_000, acknowledged_ms: now - 3_600_000, acknowledged_by: 'Ada', state: 'normal', count: 3 });
    const peak = this.raise('info', 'peak of the last quarter of an hour: 61.3 kW', 'energy/every#1', null, { series: 'plant.meter.power', value: 61.3, ts_ms: now - 400_000 });
    Object.assign(peak, { raised_ms: now - 400_000 });
    const jam = this.raise('critical', 'plant.oven is jammed', 'line_guard/st=plant.oven/when#6', 'plant.oven', { series: 'plant.oven.jammed', value: true, ts_ms: now - 95_000 });
    Object.assign(jam, { raised_ms: now - 94_000, cleared_ms: now - 60_000, state: 'returned' });
    const by = this.by('line_guard/st=plant.oven/when#6');
    this.actions.unshift(
      { id: '8-2', device: 'plant.belt', action: 'start', args: { target: 0.4 }, state: 'confirmed', by, cause: { series: 'plant.oven.jammed', value: false, ts_ms: now - 60_400 }, confirms: START.confirms, attempts: 1, requested_ms: now - 60_000, outcome_ms: now - 58_800, why: null },
      { id: '8-1', device: 'plant.belt', action: 'stop', args: {}, state: 'confirmed', by, cause: { series: 'plant.oven.jammed', value: true, ts_ms: now - 95_000 }, confirms: STOP.confirms, attempts: 2, requested_ms: now - 94_000, outcome_ms: now - 91_600, why: null },
      { id: '7-4', device: 'plant.tank', action: 'fill', args: { target: 80 }, state: 'failed', by: { kind: 'operator', name: 'Ada' }, cause: null, confirms: 'level > 50 %', attempts: 3, requested_ms: now - 700_000, outcome_ms: now - 694_000, why: 'not confirmed within 2 s, 3 attempts' },
    );
  }
}
