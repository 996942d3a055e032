// How long a person waits for the page of a running site, and how much is sent.
// For `make bench-page`; nothing is asserted here.
//
//   SEDGE_BIN=build/release/sedge node load.mjs

import { join } from 'node:path';
import { launch, openPage, received, source } from './harness.mjs';
import { startFactory } from './site.mjs';
import * as steps from './steps.mjs';

const ROUNDS = 9;
const program = process.env.SEDGE_BIN ?? join(source, 'build', 'release', 'sedge');

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const line = (name, unit, value, limit) =>
  console.log(`bench=${name} unit=${unit} ours=${value} peer=- theirs=- ratio=- goal=<${limit} met=${value < limit ? 'yes' : 'no'}`);

const factory = await startFactory({ program, source, sim: ['--seed', '7'] });
const browser = await launch();
const paints = [];
const lives = [];
for (let i = 0; i < ROUNDS; i++) {
  // A fresh profile each time: nothing is cached.
  const { context, page } = await openPage(browser, factory.url);
  await steps.waitLive(page);
  await page.locator('a.station .big .number', { hasText: /\d/ }).first().waitFor();
  const times = await page.evaluate(() => ({ paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN, now: performance.now() }));
  paints.push(Math.round(times.paint));
  lives.push(Math.round(times.now));
  await context.close();
}
const sent = await Promise.all(['', 'app.js', 'app.css'].map((path) => received(new URL(path, factory.url))));
line('page_first_paint', 'ms', median(paints), 1000);
line('page_with_live_values', 'ms', median(lives), 1000);
line('page_script_compressed', 'KiB', Math.round(sent[1].bytes / 102.4) / 10, 150);
line('page_all_compressed', 'KiB', Math.round(sent.reduce((sum, x) => sum + x.bytes, 0) / 102.4) / 10, 170);
await browser.close();
await factory.stop();
