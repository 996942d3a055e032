// What the browser tests share: a browser that asks nobody anything, and TAP.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));

/** The repository: ctest runs these files from a copy in the build folder. */
export const source = process.env.SEDGE_SOURCE ?? join(here, '..', '..');

/** The folder of what the build embedded; without a build, the sources are bundled here. */
export async function builtPage() {
  const built = process.env.SEDGE_BUILD && join(process.env.SEDGE_BUILD, 'web', 'dist');
  if (built && existsSync(join(built, 'app.js'))) return built;
  const scratch = mkdtempSync(join(tmpdir(), 'sedge-page-'));
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
  execFileSync(process.execPath, ['build.mjs', scratch], { cwd: join(source, 'web'), stdio: 'ignore' });
  return scratch;
}

/** The faked site of web/dev. */
export async function startMock(options) {
  const mock = await import(pathToFileURL(join(source, 'web', 'dev', 'mock.mjs')).href);
  return mock.startMock(options);
}

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launch() {
  const named = process.env.CHROMIUM;
  const executablePath = named && existsSync(named) ? named : '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: ARGS });
}

/** A page in a fresh profile that keeps account of what must not happen. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const origin = new URL(url).origin;
  const wrongs = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrongs.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrongs.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (target.origin !== origin && target.protocol !== 'data:') wrongs.push(`request to ${target.origin}`);
  });
  await page.goto(url);
  return { context, page, wrongs };
}

/** Bytes of an answer as they come, compressed, and how. */
export function received(url) {
  return new Promise((done, fail) => {
    get(url, { headers: { 'Accept-Encoding': 'gzip' } }, (answer) => {
      let bytes = 0;
      answer.on('data', (data) => (bytes += data.length));
      answer.on('end', () => done({ bytes, encoding: answer.headers['content-encoding'] }));
    }).on('error', fail);
  });
}

async function outcome(body) {
  try {
    await body();
    return null;
  } catch (error) {
    return error;
  }
}

/** Runs the cases, prints TAP in their order, and ends the process.  Those that share nothing may run `atOnce` beside each
 * other; cleanUp is told whether any failed. */
export async function runCases(cases, cleanUp, { atOnce = 1 } = {}) {
  let failed = 0;
  const ends = [];
  console.log(`1..${cases.length}`);
  for (const [i, [name, body]] of cases.entries()) {
    // The place of the one that began `atOnce` before it.
    if (i >= atOnce) await ends[i - atOnce];
    ends.push(outcome(body).then(async (error) => {
      await ends[i - 1];
      console.log(`${error ? 'not ok' : 'ok'} ${i + 1} - ${name}`);
      if (!error) return;
      failed++;
      console.log(String(error?.stack ?? error).replace(/^/gm, '  # '));
    }));
  }
  await Promise.all(ends);
  await cleanUp(failed > 0);
  console.log(`${cases.length - failed} passed, ${failed} failed`);
  process.exit(failed === 0 && cases.length > 0 ? 0 : 1);
}
