// The reference factory in a temporary folder with ports of its own, and the
// two processes that bring it to life: `sedge run` and `sedge sim`.

import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_MS = 30_000;
const STOP_MS = 10_000;

/** Ports that nobody listens on; held together, so that they differ. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise((done) => {
      const server = createServer();
      server.listen(0, '127.0.0.1', () => done(server));
    })),
  );
  const ports = servers.map((s) => s.address().port);
  await Promise.all(servers.map((s) => new Promise((done) => s.close(done))));
  return ports;
}

/** A child process whose output is kept, to be told if something goes wrong. */
class Child {
  constructor(program, args) {
    this.name = args[0];
    this.output = '';
    this.process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((done) => this.process.on('exit', (code, signal) => {
      this.status = signal ?? code;
      done();
    }));
    // Whatever ends this test must not leave a server behind.
    process.on('exit', () => this.running && this.process.kill('SIGKILL'));
    this.process.on('error', (error) => { this.output += String(error); this.status = 'not started'; });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (data) => { this.output = (this.output + data).slice(-20_000); });
    }
  }

  get running() {
    return this.status === undefined;
  }

  async stop() {
    if (!this.running) return;
    this.process.kill('SIGTERM');
    const late = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(late);
  }
}

/** A device that the simulated plant does not run, so that the test can publish for it. */
const TANK = `
model Tank {
  property level: %  range 0..100
}
device plant.tank: Tank { via mqtt "line1/tank" json }
`;

async function prepare(source, more) {
  const dir = await mkdtemp(join(tmpdir(), 'sedge-factory-'));
  await cp(join(source, 'sites', 'factory'), dir, { recursive: true, filter: (path) => !/[/\\]data([/\\]|$)/.test(path) });
  const [mqtt, http, modbus] = await freePorts(3);
  const path = join(dir, 'site.sedge');
  const text = await readFile(path, 'utf8');
  const moved = text.replace('127.0.0.1:1883', `127.0.0.1:${mqtt}`).replace('127.0.0.1:8080', `127.0.0.1:${http}`);
  if (!moved.includes(`:${mqtt}`) || !moved.includes(`:${http}`)) throw new Error(`the listeners of ${path} are not where this test expects them`);
  await writeFile(path, moved);
  const devices = join(dir, 'devices.sedge');
  await writeFile(devices, (await readFile(devices, 'utf8')).replaceAll('127.0.0.1:1502', `127.0.0.1:${modbus}`));
  await writeFile(join(dir, 'tank.sedge'), TANK);
  for (const [name, declarations] of Object.entries(more)) await writeFile(join(dir, name), declarations);
  return { dir, mqtt, http };
}

/** `more` are further files of the site, by name. */
export async function startFactory({ program, source, sim, more = {} }) {
  const { dir, mqtt, http } = await prepare(source, more);
  const url = `http://127.0.0.1:${http}/`;
  const server = new Child(program, ['run', dir]);
  const end = Date.now() + START_MS;
  for (;;) {
    if (!server.running) throw new Error(`sedge run ended (${server.status}):\n${server.output}`);
    const answer = await fetch(`${url}health`).catch(() => null);
    if (answer?.ok) break;
    if (Date.now() > end) throw new Error(`sedge run is not healthy after ${START_MS} ms:\n${server.output}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  const plants = [new Child(program, ['sim', dir, ...sim])];
  return {
    url,
    mqtt,
    dir,
    stopPlant: () => plants.at(-1).stop(),
    /** Another plant in the place of the one that runs. */
    restartPlant: async (...args) => {
      await plants.at(-1).stop();
      plants.push(new Child(program, ['sim', dir, ...args]));
    },
    logs: () => [server, ...plants].map((c) => `--- sedge ${c.name} (${c.running ? 'running' : c.status})\n${c.output}`).join('\n'),
    stop: async () => {
      await plants.at(-1).stop();
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
