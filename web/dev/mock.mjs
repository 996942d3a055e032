// The API of docs/http-api.md without sedge, for work on the page:
//   node dev/mock.mjs [DIR of the built page] [PORT]
// Tests start it with startMock() and turn its handles: plant.silent, drop(), publish().

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { adopt, links, listOf, settings, source, Tests } from './extras.mjs';
import { missing, past, Plant } from './plant.mjs';

export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

function json(response, status, body) {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', 'Content-Security-Policy': CSP });
  response.end(JSON.stringify(body));
}

const problem = (response, status, detail, more = {}) =>
  json(response, status, { type: 'about:blank', title: 'Refused', status, detail, ...more });

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text || '{}');
}

function* pointsOf(plant, name, from, to, step) {
  const kept = plant.kept.get(name) ?? [];
  const first = kept[0]?.[0] ?? plant.started_ms;
  for (let t = Math.ceil(from / step) * step; t < Math.min(to, first); t += step) if (!missing(t)) yield [t, past(name, t)];
  for (const point of kept) if (point[0] >= from && point[0] <= to) yield point;
}

const windowSize = (q, from, to) => Number(q.get('window') ?? 0) || (q.get('points') ? Math.max(1000, Math.ceil((to - from) / Number(q.get('points')))) : 0);

function history(plant, response, q) {
  const name = q.get('series');
  const p = plant.series(name);
  if (!p) return problem(response, 404, `no series ${name}`);
  const to = Number(q.get('to') ?? Date.now());
  const from = Number(q.get('from') ?? to - 3_600_000);
  const size = windowSize(q, from, to);
  if (!size) {
    const limit = Number(q.get('limit') ?? 10_000);
    const all = p.type === 'str' ? [] : [...pointsOf(plant, name, from, to, 1000)];
    return json(response, 200, { series: name, unit: p.unit, from, to, points: all.slice(0, limit), truncated: all.length > limit });
  }
  return json(response, 200, { series: name, window: size, windows: windowsOf(plant, p, name, from, to, size) });
}

function windowsOf(plant, p, name, from, to, size) {
  const windows = new Map();
  for (const [t, raw] of pointsOf(plant, name, from, to, Math.max(1000, size / 4))) {
    const t0 = Math.floor(t / size) * size;
    const v = Number(raw);
    const spike = Math.sin(t / 7919) > 0.99 ? 4 : 1;
    const spread = p.type === 'float' ? Math.abs(v) * 0.015 * spike : 0;
    const w = windows.get(t0) ?? [t0, 0, Infinity, -Infinity, 0, v, v];
    windows.set(t0, [t0, w[1] + 1, Math.min(w[2], v - spread), Math.max(w[3], v + spread), w[4] + v, w[5], v]);
  }
  return [...windows.values()].sort((a, b) => a[0] - b[0]).map((w) => [w[0], w[1], w[2], w[3], w[4] / w[1], w[5], w[6]]);
}

/** A file as GET /api/export sends it. */
function exported(plant, response, q) {
  const [from, to] = [Number(q.get('from') ?? 0), Number(q.get('to') ?? Date.now())];
  const csv = q.get('format') !== 'jsonl';
  const size = windowSize(q, from, to);
  const lines = csv ? [size ? 'series,time,n,min,max,mean,first,last,unit' : 'series,time,value,unit'] : [];
  for (const name of q.getAll('series')) {
    const p = plant.series(name);
    if (!p) return problem(response, 404, `no series ${name}`);
    const rows = size ? windowsOf(plant, p, name, from, to, size) : [...pointsOf(plant, name, from, to, 1000)];
    for (const [ts, ...values] of rows) {
      lines.push(csv ? [name, new Date(ts).toISOString(), ...values, p.unit ?? ''].join(',') : JSON.stringify({ series: name, ts_ms: ts, value: values[0], unit: p.unit }));
    }
  }
  response.writeHead(200, { 'Content-Type': csv ? 'text/csv' : 'application/x-ndjson', 'Content-Disposition': `attachment; filename="history.${csv ? 'csv' : 'jsonl'}"` });
  return response.end(`${lines.join('\n')}\n`);
}

function command(plant, response, path, input) {
  const [, , , name, , actionName] = path.split('/').map(decodeURIComponent);
  const device = plant.device(name);
  const decl = device?.actions.find((a) => a.name === actionName);
  if (!decl) return problem(response, 404, `no action ${name}.${actionName}()`);
  if (device.owner) return problem(response, 409, `${name} is owned by ${device.owner}`, { owner: device.owner });
  for (const p of decl.params) {
    if (typeof input.args?.[p.name] !== 'number') return problem(response, 400, `${p.name} must be a number`);
    if (input.args[p.name] > 100) return problem(response, 400, `${p.name}: ${input.args[p.name]} is above 100 ${p.unit}`);
  }
  return json(response, 202, plant.act(name, actionName, input.args, { kind: 'operator', name: input.by }, null));
}

function site(plant) {
  return {
    name: 'plant north', version: '0.1.0', run: plant.run, now_ms: Date.now(), started_ms: plant.started_ms, durable: true,
    devices: plant.devices, groups: [{ name: 'plant.stations', members: ['plant.press1', 'plant.oven', 'plant.packer'] }],
    programs: plant.programs, server: { mqtt: ['127.0.0.1:1883'], http: ['127.0.0.1:8080'] },
  };
}

function connections(plant) {
  const names = ['press1', 'oven', 'packer', 'press1-coolant', 'oven-coolant', 'belt', 'meter'];
  const online = names.map((client, i) => ({ client, address: `127.0.0.1:${51234 + i}`, version: i % 2 ? 5 : 4, user: null, connected_ms: plant.started_ms + i * 120, clean: true, received: plant.ticks * (i + 1), sent: i, subscriptions: 1, queued: 0 }));
  return [...online, { client: 'historian', address: null, version: 5, user: 'ada', connected_ms: null, clean: false, received: 12, sent: 9034, subscriptions: 2, queued: 118 }];
}

function stats(plant) {
  const samples = plant.ticks * 22;
  return {
    uptime_ms: Date.now() - plant.started_ms, rss_bytes: 14_680_064, messages_in: plant.ticks * 9, messages_out: plant.actions.length, samples,
    journal: { appended: samples, committed: samples, syncs: plant.ticks, bytes: samples * 38, segments: 1 },
    history: { series: 24, chunks: 118, points: samples + 40_000, head_points: 2400 }, connections: 7,
    dropped: [{ reason: 'queue full', count: 0 }],
  };
}

export async function startMock({ dir, port = 0, fault = 'overheat' }) {
  const readers = new Set();
  const emit = (event, data) => {
    for (const r of readers) r.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  let plant = new Plant({ emit, fault });
  plant.seed();
  let refuse = false;
  const tests = new Tests(emit);

  function live(response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(': here\n\n');
    readers.add(response);
    response.on('close', () => readers.delete(response));
  }

  async function file(response, path) {
    const name = path === '/' ? 'index.html' : path.slice(1);
    if (name.includes('/') || name.includes('..')) return problem(response, 404, 'no such page');
    try {
      const data = await readFile(join(dir, name));
      response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff' });
      return response.end(data);
    } catch {
      return problem(response, 404, 'no such page');
    }
  }

  async function answer(request, response) {
    if (refuse) return response.destroy();
    const url = new URL(request.url, 'http://localhost');
    const { pathname: path, searchParams: q } = url;
    if (request.method === 'POST') {
      const input = await body(request);
      const ack = /^\/api\/alerts\/(\d+)\/acknowledge$/.exec(path);
      if (ack) {
        const result = plant.acknowledge(Number(ack[1]), input.by);
        return result.alert ? json(response, 200, result.alert) : problem(response, result.status, result.detail);
      }
      const shelf = /^\/api\/alerts\/(\d+)\/shelve$/.exec(path);
      if (shelf) {
        const result = plant.shelve(Number(shelf[1]), input);
        return result.alert ? json(response, 200, result.alert) : problem(response, result.status, result.detail);
      }
      if (path === '/api/tests') return tests.start() ? json(response, 202, tests.state) : problem(response, 409, 'the tests are running');
      if (path === '/api/reload') {
        return json(response, 200, { result: 'taken', why: null, at_ms: Date.now(), took_ms: 12, errors: 0, warnings: 0, text: '', diagnostics: [], programs: { kept: 2, changed: [], added: [], removed: [] }, devices: { kept: 8, changed: [], added: [], removed: [] } });
      }
      if (path === '/api/adopt') {
        const [status, answer] = adopt(plant, input);
        if (answer.applied) emit('site', {});
        return json(response, status, answer);
      }
      return command(plant, response, path, input);
    }
    const shelf = /^\/api\/alerts\/(\d+)\/shelve$/.exec(path);
    if (request.method === 'DELETE' && shelf) {
      const result = plant.shelve(Number(shelf[1]), null);
      return result.alert ? json(response, 200, result.alert) : problem(response, result.status, result.detail);
    }
    const program = /^\/api\/programs\/([^/]+)\/source$/.exec(path);
    if (program) {
      const text = source(plant, decodeURIComponent(program[1]));
      return text ? json(response, 200, text) : problem(response, 404, 'no such program');
    }
    switch (path) {
      case '/api/site': return json(response, 200, site(plant));
      case '/api/live': return live(response);
      case '/api/history': return history(plant, response, q);
      case '/api/alerts': return json(response, 200, { alerts: plant.alerts.filter((a) => q.get('state') === 'all' || a.state !== 'normal').slice(0, Number(q.get('limit') ?? 100)) });
      case '/api/actions': return json(response, 200, { actions: plant.actions.slice(0, Number(q.get('limit') ?? 100)) });
      case '/api/events': return json(response, 200, { events: plant.events.filter((e) => (q.get('device') ?? e.device) === e.device) });
      case '/health': return json(response, 200, { status: 'ok' });
      case '/api/discovered': return json(response, 200, listOf(plant.topics.filter((x) => !q.get('topic') || x.topic === q.get('topic'))));
      case '/api/export': return exported(plant, response, q);
      case '/api/tests': return json(response, 200, tests.state);
      case '/api/settings': return json(response, 200, settings());
      case '/api/links': return json(response, 200, { links: links(plant) });
      case '/api/connections': return json(response, 200, { connections: connections(plant) });
      case '/api/stats': return json(response, 200, stats(plant));
      default: return file(response, path);
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => problem(response, 400, String(error)));
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  const cut = () => {
    for (const r of readers) r.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    get plant() { return plant; },
    /** Cuts every live feed and refuses all until restore(). */
    cut: () => { refuse = true; cut(); },
    restore: () => { refuse = false; },
    /** As if the server had been started anew: another run, other numbers of the series. */
    restart: () => {
      plant.stop();
      plant = new Plant({ emit, fault: 'none' });
      for (const [i, p] of plant.devices.flatMap((d) => d.properties).entries()) p.series = 100 + i;
      cut();
    },
    discover: (topic) => { plant.topics.unshift(topic); emit('discovered', topic); },
    close: async () => {
      plant.stop();
      cut();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const mock = await startMock({ dir: resolve(process.argv[2] ?? 'dist'), port: Number(process.argv[3] ?? 8099) });
  console.log(`the page with a faked plant: ${mock.url}`);
}
