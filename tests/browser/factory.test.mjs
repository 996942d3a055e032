// ctest: timeout=300
// The factory, end to end, as a person sees it: sedge and its simulated plant
// run, Debian's mosquitto_pub publishes, faults are caused, and headless
// Chromium looks at the page.
//
//   SEDGE_BIN=build/release/sedge node factory.test.mjs
//   SEDGE_SHOTS=DIR also keeps pictures of what was seen.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { launch, openPage, runCases, source } from './harness.mjs';
import { startFactory } from './site.mjs';
import * as steps from './steps.mjs';

const program = process.env.SEDGE_BIN ?? join(source, 'build', 'release', 'sedge');
const FAULT_MS = 90_000;

const factory = await startFactory({ program, source, sim: ['--fault', 'overheat', '--seed', '7'] });
const browser = await launch();
const { page, wrongs } = await openPage(browser, factory.url);

const publish = (topic, payload) =>
  execFileSync('mosquitto_pub', ['-h', '127.0.0.1', '-p', String(factory.mqtt), '-q', '1', '-t', topic, '-m', payload]);

async function shot(name) {
  if (process.env.SEDGE_SHOTS) await page.screenshot({ path: join(process.env.SEDGE_SHOTS, `${name}.png`), fullPage: true });
}

const cases = [
  ['the page comes up and is live', async () => {
    await steps.waitLive(page);
    await page.locator('.site-name', { hasText: 'plant north' }).waitFor();
    assert.deepEqual(await page.locator('a.station .name').allTextContents(), ['press1', 'oven', 'packer']);
  }],
  ['the line moves', async () => {
    await page.locator('a.belt.moving').waitFor({ timeout: 60_000 });
    await page.waitForFunction(() => /\d/.test(document.querySelector('a.station .big .number')?.textContent ?? ''), null, { timeout: 30_000 });
    await shot('line');
  }],
  ['the page is served with a strict content security policy', async () => {
    const policy = (await fetch(factory.url)).headers.get('content-security-policy') ?? '';
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
      assert.ok(policy.includes(rule), `${rule} is missing in: ${policy}`);
    }
    assert.ok(!policy.includes('unsafe'), policy);
  }],
  ['a value that mosquitto_pub publishes is on the page', async () => {
    publish('line1/tank', '{"level": 41.5}');
    await steps.seesValue(page, 'plant.tank.level', '41.5');
    publish('line1/tank', '{"level": 57.5}');
    await steps.seesValue(page, 'plant.tank.level', '57.5');
  }],
  ['a topic that nobody claims is listed as discovered', async () => {
    publish('shed/light', 'on');
    await steps.go(page, '#/discovered');
    const item = page.locator('li[data-topic="shed/light"]');
    await item.waitFor({ timeout: 20_000 });
    assert.equal(await item.locator('pre').textContent(), 'on');
    await shot('discovered');
  }],
  ['an action is shown with the program, the rule and the sample that caused it', async () => {
    const item = await steps.seesAction(page, { device: 'plant.press1.coolant', action: 'open', program: 'line_guard', series: 'plant.press1.temperature' });
    await item.locator('.chip.state-confirmed').waitFor({ timeout: 30_000 });
    await shot('actions');
  }],
  ['an alert that the fault caused is shown, and is acknowledged', async () => {
    const alert = await steps.seesAlert(page, 'plant.press1 heats up', FAULT_MS);
    assert.match(await alert.locator('.source').innerText(), /line_guard\s+when slope/);
    await steps.acknowledges(page, alert, 'Ada');
  }],
  ['another fault, another alert: the name is not asked again', async () => {
    await factory.restartPlant('--fault', 'jam', '--seed', '7');
    const alert = await steps.seesAlert(page, 'plant.packer is jammed', FAULT_MS);
    assert.match(await alert.locator('.source').innerText(), /line_guard\s+when jammed for 1s/);
    assert.match(await alert.locator('.cause').innerText(), /plant\.packer\.jammed\s+yes/);
    await steps.acknowledges(page, alert, 'Ada');
    await shot('alerts');
  }],
  ['the belt is stopped by the program, and stands in the picture', async () => {
    await steps.seesAction(page, { device: 'plant.belt', action: 'stop', program: 'line_guard', series: 'plant.packer.jammed' });
    await steps.go(page, '#/');
    await page.locator('a.belt.standing', { hasText: 'stopped' }).waitFor({ timeout: 20_000 });
    await shot('jammed');
  }],
  ['a command by hand borrows the valve from its owner, until it is given back', async () => {
    await steps.command(page, 'plant.oven.coolant', 'open', 'Ada');
    await page.locator('.lent', { hasText: 'Ada has it until' }).waitFor({ timeout: 20_000 });
    await shot('lent');
    await page.locator('.lent button').click();
    await page.locator('.owned:not(.lent)', { hasText: 'line_guard' }).waitFor({ timeout: 20_000 });
  }],
  ['a chart is filled from history', async () => {
    await steps.go(page, '#/device/plant.press1?span=900000');
    await page.locator('article[aria-label="temperature"] figcaption', { hasText: 'mean' }).waitFor({ timeout: 20_000 });
    await shot('device');
  }],
  ['the plant is stopped: values turn stale and say so', async () => {
    await factory.stopPlant();
    await steps.seesStale(page, 'plant.press1', 'plant.press1.temperature');
    await steps.go(page, '#/');
    await page.locator('.status .bad', { hasText: /not reachable|silent/ }).waitFor({ timeout: 20_000 });
    await shot('stale');
    await steps.go(page, '#/devices');
    await page.locator('tr', { hasText: 'plant.meter' }).locator('.reach.offline').waitFor({ timeout: 20_000 });
    await page.locator('tr', { hasText: 'plant.press1' }).first().locator('.reach.silent').waitFor({ timeout: 20_000 });
  }],
  ['nothing was fetched from elsewhere, and nothing went wrong on the page', async () => {
    assert.deepEqual(wrongs, []);
  }],
];

await runCases(cases, async (failed) => {
  if (failed) console.log(factory.logs().replace(/^/gm, '# '));
  await browser.close();
  await factory.stop();
});
