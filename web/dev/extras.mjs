// What the faked site answers beside its plant: sources, tests, settings, field
// lines, discovered topics with their values, and proposals to adopt them.

const SOURCES = {
  line_guard: [8, `// Keeps the line from harm: cools what gets hot, stops the belt when a station
// jams, and tells people what they should know.
program line_guard {
  own belt: Conveyor = plant.belt
  var stops = 0

  for st in plant.heated {                       // unrolled when deployed
    own  cool: Valve = st.coolant
    read temp: °C = st.temperature stale 5s
    when temp > 80 °C for 2s {
      cool.open()
    } until temp < 65 °C for 5s { cool.close() }

    when temp > 110 °C for 1s {
      alert critical "{st.name} is at {temp}: the line is stopped"
      stops += 1
    }

    let steep = 12 K/min
    when slope(temp, 2min) > steep for 20s {
      alert warning "{st.name} heats up by {slope(temp, 2min)}"
    }
    when stale temp {
      alert critical "{st.name} lost its thermometer"
      cool.open()                                // blind: cool rather than burn
    }
  }

  for st in plant.stations {
    read vib: mm/s = st.vibration stale 5s
    read jammed: bool = st.jammed stale 5s

    when vib > 7.1 mm/s for 5s { alert warning "{st.name} vibrates at {vib}" }
    when jammed for 1s { alert critical "{st.name} is jammed" }
  }
}
`],
  energy: [3, `program energy {
  read power: kW = plant.meter.power stale 30s
  var peak = 0 kW


  when power > peak { peak = power }
  when power > 90 kW for 30s { alert warning "the plant draws {power}" }
  every 15min { alert info "peak of the last quarter of an hour: {peak}" }
}
`],
};

export function source(plant, name) {
  const program = plant.programs.find((p) => p.name === name);
  const found = SOURCES[name];
  if (!program || !found) return null;
  const [line, text] = found;
  const first = name === 'line_guard' ? line - 2 : line;
  return { program: name, file: program.file, line, first_line: first, last_line: first + text.trimEnd().split('\n').length - 1, text };
}

const FAILURE = `FAIL "a jam stops the belt" (0.4 s of simulated time)
  --> tests.sedge:21:3
   |
21 |   expect plant.belt.speed < 0.05 m/s within 2s
   |   ^^^^^^ it never was: the lowest speed was 0.4 m/s
`;

/** The site's tests: the first run passes, the next has a failure. */
export class Tests {
  constructor(emit) {
    this.emit = emit;
    this.runs = 0;
    this.state = { running: false, started_ms: null, ended_ms: null, took_ms: null, error: null, errors: 0, text: null, run: 0, failed: 0, simulated_ms: 0, tests: [] };
  }

  start() {
    if (this.state.running) return null;
    this.runs++;
    this.state = { ...this.state, running: true, started_ms: Date.now() };
    this.emit('tests', {});
    setTimeout(() => this.end(), 300);
    return this.state;
  }

  end() {
    const one = (name, line, text = null) => ({ name, file: 'tests.sedge', line, passed: text === null, expects: 2, simulated_ms: 60_000, text, failures: [] });
    const tests = [one('a hot press is cooled', 5), one('a jam stops the belt', 18, this.runs > 1 ? FAILURE : null), one('a lost thermometer is an alert', 31)];
    this.state = { ...this.state, running: false, ended_ms: Date.now(), took_ms: 300, run: tests.length, failed: tests.filter((t) => !t.passed).length, simulated_ms: 180_000, tests };
    this.emit('tests', {});
  }
}

export const settings = () => ({
  name: 'plant north', version: '0.1.0', folder: '/srv/plant-north',
  files: [['devices.sedge', 1204, 14], ['energy.sedge', 911, 24], ['line_guard.sedge', 3310, 77], ['models.sedge', 866, 31], ['site.sedge', 240, 9]].map(([name, bytes, lines]) => ({ name, bytes, lines })),
  listeners: [
    { protocol: 'mqtt', address: '127.0.0.1:1883', tls: false, websocket: false, passwords: false, certificates: false, anonymous: true, insecure: false, name: null },
    { protocol: 'mqtt', address: '0.0.0.0:8883', tls: true, websocket: false, passwords: true, certificates: false, anonymous: false, insecure: false, name: 'plant.example' },
    { protocol: 'http', address: '127.0.0.1:8080', tls: false, websocket: false, passwords: false, certificates: false, anonymous: true, insecure: false, name: null },
  ],
  store: { folder: '/srv/plant-north/data', commit_ms: 0 }, workers: { declared: null, running: 2 }, driver: 'io_uring', zone: 'Europe/Berlin', watchdog_ms: 2000, sys_ms: 10_000,
  limits: [['connections', 10_000], ['sessions', 10_000], ['queue', 1000], ['full', 'drop_oldest'], ['packet', 1_048_576]].map(([name, value]) => ({ name, value })),
  access: [{ file: 'access.sedge', line: 3, text: 'role operator {\n  may read "line1/#"\n  may command plant.tank\n}' }], reload: true, tests: true,
});

export const links = (plant) => {
  const now = Date.now();
  const counts = (n) => ({ requests: plant.ticks * n, answers: plant.ticks * n - 1, timeouts: 1, errors: 0 });
  const unit = (number, devices, more = {}) => ({ unit: number, devices, online: true, ...counts(1), last_error: null, last_error_ms: null, ...more });
  return [
    { kind: 'modbus', text: 'tcp://192.0.2.7:502', state: 'connected', since_ms: plant.started_ms, retry_ms: null, ...counts(2), last_error: null, last_error_ms: null, units: [unit(3, ['plant.meter']), unit(7, ['plant.tank'], { online: false, answers: 0, timeouts: plant.ticks, last_error: 'no answer within 500 ms', last_error_ms: now - 2000 })] },
    { kind: 'modbus', text: 'rtu:/dev/ttyUSB0', state: 'waiting', since_ms: now - 60_000, retry_ms: now + 8000, ...counts(0), last_error: 'No such file or directory', last_error_ms: now - 3000, units: [] },
  ];
};

const MODEL_OF = { 'tele/plug1/SENSOR': ['home.plug1', 'Plug'], 'weather/roof/temperature': ['weather.roof', 'Roof'], 'zigbee2mqtt/door': ['home.door', 'Door'] };
const TYPES = { integer: 'int', number: 'float', boolean: 'bool', text: 'str', mixed: 'str', null: 'str' };

function declarations(topic, device, model) {
  const lines = (topic.fields ?? []).map((f) => {
    const name = (f.path === '' ? 'value' : f.path.slice(f.path.lastIndexOf('.') + 1)).toLowerCase().replace(/\W/g, '_');
    return { name, f, line: `  property ${name}: ${TYPES[f.type]}` };
  });
  const maps = lines.map(({ name, f }) => `  property ${name} = ${f.path === '' ? '' : `"${f.path}" `}on "${topic.topic}"`);
  return `model ${model} {\n${lines.map((l) => l.line).join('\n')}\n}\n\ndevice ${device}: ${model} {\n${maps.join('\n')}\n}\n`;
}

const diffOf = (text) => {
  const lines = text.trimEnd().split('\n');
  return `--- devices.sedge\n+++ devices.sedge\n@@ -12,2 +12,${lines.length + 3} @@\n group plant.stations = plant.press1, plant.oven, plant.packer\n group plant.heated   = plant.press1, plant.oven\n+\n${lines.map((l) => `+${l}`).join('\n')}\n`;
};

/** Answers [status, body] as POST /api/adopt does. */
export function adopt(plant, input) {
  const topic = plant.topics.find((x) => x.topic === input.topics[0]);
  if (!topic) return [404, { type: '/problems/no-topic', title: 'Not Found', status: 404, detail: `${input.topics[0]} was not discovered`, topic: input.topics[0] }];
  const [device, model] = [input.device ?? MODEL_OF[topic.topic]?.[0] ?? 'home.thing', input.model ?? MODEL_OF[topic.topic]?.[1] ?? 'Thing'];
  const text = input.text ?? declarations(topic, device, model);
  const files = [{ file: 'devices.sedge', new: false, added: text.trimEnd().split('\n').length + 1, removed: 0, diff: diffOf(text) }];
  if (!/^device /m.test(text)) {
    const report = 'error[S1]: expected a declaration\n  --> devices.sedge:15:1\n   |\n15 | devise home.plug1: Plug {\n   | ^^^^^^ did you mean `device`?\n';
    return [422, { type: '/problems/site-refused', title: 'Unprocessable Content', status: 422, detail: 'the changed site has an error', diagnostics: [], text: report, files }];
  }
  if (input.apply) {
    plant.topics = plant.topics.filter((x) => x !== topic);
    plant.declare(/device ([\w.]+)/.exec(text)[1], model, topic);
  }
  return [200, {
    device, model, model_exists: false, device_exists: false, editable: true, text, topics: [topic.topic],
    shown: 'mock',
    left_out: [{ topic: 'tele/plug1/STATE', path: 'Wifi.RSSI', why: 'about the radio, not the thing' }],
    files, warnings: [`${model}: its units are guessed`], diagnostics: [], applied: Boolean(input.apply), reload: null,
  }];
}

const wave = (base, swing, n, now) => Array.from({ length: n }, (_, i) => [now - (n - i) * 30_000, Math.round((base + swing * Math.sin(i / 3)) * 100) / 100]);

function field(path, type, values) {
  const numbers = values.map(([, v]) => v).filter((v) => typeof v === 'number');
  const words = [...new Set(values.map(([, v]) => v).filter((v) => typeof v === 'string'))];
  return {
    path, type, count: values.length, min: numbers.length > 0 ? Math.min(...numbers) : null, max: numbers.length > 0 ? Math.max(...numbers) : null,
    words: words.length > 0 ? words : null, last: values.at(-1)?.[1] ?? null, values,
  };
}

/** GET /api/discovered: each topic is a thing of its own here, unless it says which. */
export function listOf(topics) {
  const found = new Map();
  for (const x of topics) {
    const key = x.thing ?? x.topic;
    const can = x.shape && !x.device && !x.obstacle;
    const old = found.get(key) ?? { key, name: x.name ?? x.topic, shape: x.shape ?? null, device: x.device ?? null, adopt: can ? x.topic : null, obstacle: can ? null : x.error ? 'unreadable' : (x.obstacle ?? 'nothing'), why: '', topics: [], count: 0, first_ms: x.first_ms, last_ms: x.last_ms };
    found.set(key, { ...old, topics: [...old.topics, x.topic], count: old.count + x.count, last_ms: Math.max(old.last_ms, x.last_ms) });
  }
  const things = [...found.values()].sort((a, b) => Number(b.adopt !== null) - Number(a.adopt !== null) || (a.name < b.name ? -1 : 1));
  return { things, topics: topics.map((x) => ({ thing: x.topic, obstacle: null, ...x })), dropped: 0 };
}

export function discovered(now) {
  const topic = (name, kind, payload, shape, fields, more = {}) => ({
    topic: name, count: 41, first_ms: now - 900_000, last_ms: now - 900, kind, payload, device: null, unreadable: 0, error: null, shape, fields, fields_left_out: 0, ...more,
  });
  return [
    topic('line1/packer', 'text', 'hello', null, [], { count: 1, device: 'plant.packer', unreadable: 3, error: { path: 'temperature', at: 16, reason: 'expected a number, got a string "warm"' } }),
    topic('tele/plug1/SENSOR', 'json', '{"Time":"2026-11-28T10:00:00","ENERGY":{"Power":41.5,"Voltage":230,"Total":12.4}}', 'tasmota', [
      field('Time', 'text', [[now - 900, '2026-11-28T10:00:00']]), field('ENERGY.Power', 'number', wave(40, 6, 24, now)), field('ENERGY.Voltage', 'integer', wave(230, 2, 24, now).map(([ts, v]) => [ts, Math.round(v)])),
      field('ENERGY.Total', 'number', wave(12, 0, 24, now).map(([ts], i) => [ts, Math.round((12 + i * 0.02) * 100) / 100])),
    ], { thing: 'tasmota:plug1' }),
    topic('tele/plug1/LWT', 'text', 'Online', 'tasmota', [field('', 'text', [[now - 900, 'Online']])], { count: 2, thing: 'tasmota:plug1' }),
    topic('zigbee2mqtt/bridge/info', 'json', '{"version":"1.40.2"}', null, [field('version', 'text', [[now - 900, '1.40.2']])], { count: 1, obstacle: 'announcement' }),
    topic('weather/roof/temperature', 'number', '7.25', 'value', [field('', 'number', wave(7, 1, 32, now))]),
    topic('zigbee2mqtt/door', 'json', '{"contact":true,"battery":87,"linkquality":132}', 'zigbee2mqtt', [
      field('contact', 'boolean', wave(0, 1, 20, now).map(([ts, v]) => [ts, v > 0])), field('battery', 'integer', wave(87, 0, 20, now)), field('linkquality', 'integer', wave(132, 9, 20, now).map(([ts, v]) => [ts, Math.round(v)])),
    ]),
  ];
}
