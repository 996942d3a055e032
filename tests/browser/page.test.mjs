// ctest: timeout=300
// The page by itself, with a faked plant behind it (web/dev/mock.mjs): what it
// shows of what happens, and that it asks nobody else.

import assert from 'node:assert/strict';
import { builtPage, launch, openPage, runCases, startMock } from './harness.mjs';
import * as steps from './steps.mjs';

const dir = await builtPage();
const browser = await launch();

/** A page and a plant of its own for each case. */
async function withPage(options, body) {
  const { fault = 'none', hash = '#/', ...context } = options;
  const mock = await startMock({ dir, fault });
  const opened = await openPage(browser, mock.url + hash, context);
  try {
    await steps.waitLive(opened.page);
    await body({ ...opened, mock });
  } finally {
    await opened.context.close();
    await mock.close();
  }
}

const cases = [];

cases.push(['a value appears as it is published', () =>
  withPage({}, async ({ page, mock }) => {
    mock.plant.publish('plant.tank.level', 41.5);
    await steps.seesValue(page, 'plant.tank.level', '41.5');
    mock.plant.publish('plant.tank.level', 42.5);
    await steps.seesValue(page, 'plant.tank.level', '42.5');
  })]);

cases.push(['the picture shows stations in order, and the belt as fast as it runs', () =>
  withPage({}, async ({ page, mock }) => {
    const names = await page.locator('a.station .name').allTextContents();
    assert.deepEqual(names, ['press1', 'oven', 'packer']);
    const rate = () => page.evaluate(() => {
      const belt = document.querySelector('a.belt');
      const animation = document.getAnimations().find((a) => belt.contains(a.effect.target));
      return animation.playState === 'running' ? animation.playbackRate : 0;
    });
    await page.locator('a.belt.moving').waitFor();
    const running = await rate();
    assert.ok(running > 0.8 && running < 1.4, `rate ${running} for 0.4 m/s`);
    mock.plant.state.wanted = 0;
    await page.locator('a.belt.standing').waitFor({ timeout: 20_000 });
    assert.equal(await rate(), 0);
    mock.plant.state.wanted = 0.8;
    await page.waitForFunction(() => {
      const belt = document.querySelector('a.belt');
      const animation = document.getAnimations().find((a) => belt.contains(a.effect.target));
      return animation.playState === 'running' && animation.playbackRate > 1.8;
    }, null, { timeout: 20_000 });
  })]);

cases.push(['who asked for less motion gets none', () =>
  withPage({ reducedMotion: 'reduce' }, async ({ page }) => {
    await page.locator('a.belt.moving').waitFor();
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  })]);

cases.push(['an alert is shown, announced and acknowledged; the name is asked once', () =>
  withPage({}, async ({ page, mock }) => {
    const cause = { series: 'plant.packer.vibration', value: 7.3, ts_ms: Date.now() };
    mock.plant.raise('warning', 'plant.packer vibrates', 'line_guard/st=plant.packer/when#1', 'plant.packer', cause);
    await page.locator('[data-announcer]', { hasText: 'Warning alert: plant.packer vibrates' }).waitFor({ state: 'attached' });
    const alert = await steps.seesAlert(page, 'plant.packer vibrates');
    assert.match(await alert.innerText(), /plant\.packer\.vibration\s+7\.30/);
    assert.match(await alert.innerText(), /line_guard\s+when vib > 7\.1 mm\/s for 5s\s+line 38/);
    await steps.acknowledges(page, alert, 'Ada');
    await page.reload();
    await steps.waitLive(page);
    const second = await steps.seesAlert(page, 'plant.oven is jammed');
    await steps.acknowledges(page, second, 'Ada');
  })]);

cases.push(['an action shows its program, rule, sample and outcome', () =>
  withPage({ fault: 'overheat' }, async ({ page }) => {
    const item = await steps.seesAction(page, { device: 'plant.press1.coolant', action: 'open', program: 'line_guard', series: 'plant.press1.temperature' });
    await item.locator('.chip.state-confirmed').waitFor();
    assert.match(await item.innerText(), /after \d/);
    assert.match(await item.innerText(), /line 15/);
    const failed = page.locator('li.action.failed', { hasText: 'plant.tank.fill(80' });
    assert.match(await failed.innerText(), /by hand: Ada/);
    assert.match(await failed.innerText(), /not confirmed within 2 s/);
  })]);

cases.push(['a command by hand on an owned device shows the owner', () =>
  withPage({}, async ({ page }) => {
    const form = await steps.command(page, 'plant.press1.coolant', 'open', 'Ada');
    await steps.seesRefusal(page, form, 'line_guard');
  })]);

cases.push(['a command by hand: arguments are checked, the outcome is followed', () =>
  withPage({}, async ({ page, wrongs }) => {
    const bad = await steps.command(page, 'plant.tank', 'fill', null, { target: 'much' });
    await bad.getByText('target must be a number').waitFor();
    await bad.getByLabel('target').fill('70,5');
    await bad.getByRole('button', { name: 'Send fill' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Ada');
    await page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click();
    await bad.locator('.chip.state-failed').waitFor({ timeout: 10_000 });
    assert.match(await bad.innerText(), /not confirmed within 2 s, 3 attempts/);
    assert.match(await page.locator('aside li.action').first().innerText(), /fill\(70\.5/);
    assert.deepEqual(wrongs, []);
  })]);

cases.push(['events of a device say when they came, as they come', () =>
  withPage({ hash: '#/device/plant.press1' }, async ({ page, mock, wrongs }) => {
    const jam = page.locator('li[data-event="jam"]');
    await jam.getByText(/4\smin \d\d\ss ago · 3 times/).waitFor();
    mock.plant.announce('plant.press1', 'jam');
    await jam.getByText(/\d\ss ago · 4 times/).waitFor();
    await jam.locator('summary').click();
    assert.equal(await jam.locator('ol li').count(), 4);
    await steps.go(page, '#/device/plant.oven');
    await page.locator('li[data-event="jam"]', { hasText: 'not heard yet' }).waitFor();
    assert.deepEqual(wrongs, []);
  })]);

cases.push(['values turn stale and say so', () =>
  withPage({}, async ({ page, mock }) => {
    await page.locator('a.belt.moving').waitFor();
    mock.plant.silent = true;
    await steps.seesStale(page, 'plant.press1', 'plant.press1.temperature');
    await steps.go(page, '#/');
    await page.locator('a.belt.standing .stale-note').waitFor();
  })]);

cases.push(['old news says its age, and moves nothing', () =>
  withPage({}, async ({ page, mock }) => {
    await page.locator('a.belt.moving').waitFor();
    for (const d of mock.plant.devices) for (const p of d.properties) p.stale_ms = null;
    mock.plant.silent = true;
    const gone = Date.now() - 90_000;
    await page.route('**/api/site', async (route) => {
      const site = await (await route.fetch()).json();
      // As if the page had been opened a minute and a half after the last news.
      for (const d of site.devices) for (const p of d.properties) if (p.ts_ms) p.ts_ms = gone;
      await route.fulfill({ json: site });
    });
    await page.reload();
    await page.locator('a.belt.standing .stale-note', { hasText: /1.min \d\d.s ago/ }).waitFor();
    await page.locator('a.station .stale-note', { hasText: /ago/ }).first().waitFor();
    await page.locator('.tile .note', { hasText: /ago/ }).first().waitFor();
  })]);

cases.push(['a lost connection is shown and found again, also after a restart with other numbers', () =>
  withPage({}, async ({ page, mock }) => {
    mock.cut();
    await page.locator('.link-state.lost').waitFor();
    await page.getByText('What you see is as old as that').waitFor();
    mock.restart();
    mock.restore();
    await page.locator('.link-state.live').waitFor({ timeout: 40_000 });
    mock.plant.publish('plant.tank.level', 17.5);
    await steps.seesValue(page, 'plant.tank.level', '17.5');
    const levels = await page.locator('[data-series="plant.meter.power"] .number').allTextContents();
    assert.ok(!levels.includes('17.5'));
  })]);

cases.push(['charts go back through history, and the address keeps the range', () =>
  withPage({ hash: '#/device/plant.press1' }, async ({ page, wrongs }) => {
    const asked = [];
    page.on('request', (r) => r.url().includes('/api/history') && asked.push(new URL(r.url())));
    await page.locator('.chart figcaption', { hasText: 'mean' }).first().waitFor();
    await page.getByRole('button', { name: '24 h' }).click();
    await page.waitForURL(/span=86400000/);
    await page.getByRole('button', { name: 'Earlier' }).click();
    await page.waitForURL(/to=\d+/);
    await page.waitForTimeout(500);
    const last = asked.filter((u) => u.searchParams.get('series') === 'plant.press1.temperature').at(-1);
    const to = Number(last.searchParams.get('to'));
    assert.ok(Math.abs(Date.now() - 12 * 3_600_000 - to) < 60_000, 'half a window back');
    assert.ok(Number(last.searchParams.get('points')) >= 100, 'in windows');
    assert.ok(await inked(page), 'something is drawn');
    const address = page.url();
    await page.goto('about:blank');
    await page.goto(address);
    await steps.waitLive(page);
    assert.equal(await page.getByRole('button', { name: '24 h' }).getAttribute('aria-pressed'), 'true');
    await page.getByRole('button', { name: 'Now' }).click();
    await page.waitForURL((u) => !u.href.includes('to='));
    assert.deepEqual(wrongs, []);
  })]);

/** Whether the first chart's canvas holds more than its grid. */
const inked = (page) =>
  page.evaluate(() => {
    const canvas = document.querySelector('.plot canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let strong = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 200) strong++;
    return strong > 300;
  });

cases.push(['the explorer is zoomed by dragging and by the wheel, and tells the values under the cursor', () =>
  withPage({ hash: '#/history?s=plant.press1.temperature&s=plant.meter.power&span=3600000' }, async ({ page, wrongs }) => {
    await page.locator('tr[data-legend="plant.meter.power"] td[data-label="mean"]', { hasText: /\d/ }).waitFor();
    const box = await page.locator('.lane .u-over').first().boundingBox();
    const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
    await page.mouse.move(...at(0.25));
    await page.locator('tr[data-legend="plant.meter.power"] td[data-label="at the cursor"]', { hasText: /\d/ }).waitFor();
    await page.mouse.down();
    await page.mouse.move(...at(0.5), { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/to=\d+/);
    const span = () => Number(/span=(\d+)/.exec(page.url())?.[1] ?? 300_000);
    const dragged = span();
    assert.ok(Math.abs(dragged - 900_000) < 30_000, `a quarter of an hour, not ${dragged} ms`);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, 100);
    await page.keyboard.up('Control');
    await page.waitForFunction((was) => Number(/span=(\d+)/.exec(location.hash)?.[1]) > was * 1.2, dragged);
    await page.getByLabel('Points').selectOption('60000');
    await page.waitForURL(/w=60000/);
    await page.getByLabel('Lowest to highest').uncheck();
    await page.waitForURL(/band=0/);
    await page.locator('details.exact summary').click();
    await page.getByLabel('From', { exact: true }).fill('2026-01-02T03:00:05');
    await page.getByLabel('To', { exact: true }).fill('2026-01-02T02:00:05');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('The beginning must be before the end.').waitFor();
    await page.getByLabel('To', { exact: true }).fill('2026-01-02T04:00:05');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.waitForURL((u) => u.href.includes(`to=${new Date('2026-01-02T04:00:05').getTime()}`));
    await page.getByLabel('From', { exact: true }).focus();
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'SUMMARY', 'Esc folds it and keeps the focus near');
    assert.deepEqual(wrongs, []);
  })]);

/** Fingers that go from one place of an element to another; 0 is its left edge, 1 its right one. */
async function drags(page, locator, ...fingers) {
  return touches(page, locator, Date.now() / 1000, fingers);
}

/** At a time of ours: a tap is the second of two by its time, however slow the machine is. */
async function touches(page, locator, timestamp, fingers) {
  const box = await locator.boundingBox();
  const session = await page.context().newCDPSession(page);
  const points = (part) => fingers.map(([from, to], id) => ({ id, x: box.x + box.width * (from + (to - from) * part), y: box.y + box.height / 2 }));
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', timestamp, touchPoints: points(0) });
  for (const part of fingers.some(([from, to]) => from !== to) ? [0.1, 0.4, 0.7, 1] : []) await session.send('Input.dispatchTouchEvent', { type: 'touchMove', timestamp: timestamp + part / 10, touchPoints: points(part) });
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', timestamp: timestamp + 0.11, touchPoints: [] });
  await session.detach();
}

/** Waits until the address has about this number. */
const inAddress = (page, key, about, within) =>
  page.waitForFunction(([k, a, w]) => Math.abs(Number(new URLSearchParams(location.hash.split('?')[1]).get(k)) - a) < w, [key, about, within], { timeout: 20_000 });
const rangeIn = (page) => page.evaluate(() => Object.fromEntries(new URLSearchParams(location.hash.split('?')[1])));

cases.push(['charts follow fingers and keys: drag, pinch, double tap, arrows', () =>
  withPage({ hash: '#/history?s=plant.press1.temperature&span=3600000', viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async ({ page, wrongs }) => {
    const over = page.locator('.lanes .u-over');
    await over.waitFor();
    await drags(page, over, [0.2, 0.7]);
    await inAddress(page, 'to', Date.now() - 1_800_000, 240_000);
    assert.equal((await rangeIn(page)).span, '3600000');
    await drags(page, over, [0.4, 0.2], [0.6, 0.8]);
    await inAddress(page, 'span', 1_200_000, 120_000);
    const at = Date.now() / 1000;
    for (const later of [0, 0.2]) await touches(page, over, at + later, [[0.5, 0.5]]);
    await page.waitForFunction(() => !location.hash.includes('to='));
    await steps.go(page, '#/device/plant.press1');
    await page.locator('.charts .u-over').first().waitFor();
    await drags(page, page.locator('.charts .u-over').first(), [0.2, 0.9]);
    await page.waitForFunction(() => location.hash.includes('to='));
    await page.locator('.charts').focus();
    await page.keyboard.press('0');
    await page.waitForFunction(() => !location.hash.includes('to='));
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => location.hash.includes('to='));
    assert.deepEqual(wrongs, []);
  })]);

cases.push(['on a phone the bar leads to every screen', () =>
  withPage({ viewport: { width: 360, height: 740 } }, async ({ page }) => {
    assert.equal(await page.locator('.rail a:visible').count(), 5);
    await page.locator('.rail a', { hasText: 'More' }).click();
    const places = page.locator('.places a');
    assert.equal(await places.count(), 9);
    for (let i = 0; i < 9; i++) {
      await steps.go(page, '#/more');
      const name = await places.nth(i).locator('b').innerText();
      await places.nth(i).click();
      await page.locator('h1', { hasText: name }).waitFor({ state: 'attached' });
    }
  })]);

cases.push(['a site without devices says what to do first', () =>
  withPage({}, async ({ page }) => {
    await page.route('**/api/site', async (route) => {
      const site = await (await route.fetch()).json();
      await route.fulfill({ json: { ...site, devices: [], groups: [], programs: [] } });
    });
    await page.reload();
    await page.getByText('3 things have been heard that are no devices yet').waitFor();
    await page.getByRole('link', { name: 'Look at what was heard' }).click();
    await page.locator('li[data-topic="zigbee2mqtt/door"]').waitFor();
  })]);

cases.push(['a site with thousands of devices is drawn in parts', () =>
  withPage({}, async ({ page, wrongs }) => {
    await page.route('**/api/site', async (route) => {
      const site = await (await route.fetch()).json();
      const tank = site.devices.find((d) => d.name === 'plant.tank');
      const devices = Array.from({ length: 3000 }, (_, i) => ({ ...tank, name: `store.tank${i}`, link: { ...tank.link, online: i !== 2500 }, properties: tank.properties.map((p) => ({ ...p, series: 1000 + 2 * i + p.series % 2 })) }));
      await route.fulfill({ json: { ...site, devices, groups: [] } });
    });
    await page.reload();
    await page.locator('.status a', { hasText: '3000' }).waitFor();
    const few = await page.locator('a.tile').count();
    assert.ok(few > 0 && few <= 60, `${few} tiles`);
    const names = await page.locator('a.tile b').allTextContents();
    assert.deepEqual(names.slice(0, 2), ['tank2500', 'tank0'], 'what is lost stands in front');
    await page.locator('.plan button.more').click();
    await page.waitForFunction((n) => document.querySelectorAll('a.tile').length > n, few);
    await steps.go(page, '#/devices');
    await page.locator('table.devices tbody tr').first().waitFor();
    const rows = await page.locator('table.devices tbody tr').count();
    assert.ok(rows <= 150, `${rows} rows`);
    await page.getByRole('searchbox').fill('tank2999');
    await page.locator('table.devices tbody tr', { hasText: 'store.tank2999' }).waitFor();
    assert.deepEqual(wrongs, []);
  })]);

cases.push(['what waits for its time is tried at once when the network is back', () =>
  withPage({}, async ({ page, mock }) => {
    await page.addInitScript(() => {
      window.feeds = 0;
      window.EventSource = class extends EventSource {
        constructor(...of) {
          super(...of);
          window.feeds++;
          window.feeding = true;
          this.addEventListener('error', () => (window.feeding = false));
        }
      };
    });
    await page.reload();
    await steps.waitLive(page);
    mock.cut();
    await page.locator('.link-state.lost').waitFor();
    // So often in vain that the next time is far.
    await page.waitForFunction(() => window.feeds >= 4 && !window.feeding, null, { timeout: 60_000 });
    const tried = await page.evaluate(() => {
      const before = window.feeds;
      window.dispatchEvent(new Event('online'));
      return window.feeds - before;
    });
    assert.equal(tried, 1);
    mock.restore();
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await page.locator('.link-state.live').waitFor();
  })]);

cases.push(['dark or light is remembered', () =>
  withPage({ colorScheme: 'dark' }, async ({ page }) => {
    const now = () => page.evaluate(() => document.documentElement.dataset.theme);
    assert.equal(await now(), 'dark', 'as the system');
    await page.locator('button.theme').click();
    assert.equal(await now(), 'light');
    await page.reload();
    assert.equal(await now(), 'light');
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.equal(await now(), 'light', 'the choice outweighs the system');
  })]);

cases.push(['what nobody claims is listed as it is discovered', () =>
  withPage({ hash: '#/discovered' }, async ({ page, mock }) => {
    const now = Date.now();
    mock.discover({ topic: 'shed/light', count: 1, first_ms: now, last_ms: now, kind: 'text', shape: 'value', payload: '<b>on</b>' });
    const item = page.locator('li[data-topic="shed/light"]');
    await item.waitFor();
    assert.equal(await item.locator('pre').innerText(), '<b>on</b>', 'a payload is text, never markup');
  })]);

cases.push(['a site of another kind gets a picture too', () =>
  withPage({}, async ({ page, mock }) => {
    await page.route('**/api/site', async (route) => {
      const site = await (await route.fetch()).json();
      for (const d of site.devices) {
        d.name = d.name.replace('plant.', 'home.');
        for (const p of d.properties) p.name = p.name.replace('temperature', 'warmth').replace('speed', 'pace');
      }
      await route.fulfill({ json: site });
    });
    await page.reload();
    await page.locator('.plan.no-line').waitFor();
    assert.equal(await page.locator('.picture').count(), 0);
    assert.equal(await page.locator('.tile').count(), mock.plant.devices.length);
  })]);

cases.push(['a program shows its source, with whom each rule is for and how it stands beside its line', () =>
  withPage({ hash: '#/program/line_guard', fault: 'overheat' }, async ({ page }) => {
    const line = page.locator('li[data-line="15"]');
    await line.waitFor();
    assert.match(await line.innerText(), /when temp > 80 °C for 2s/);
    assert.match(await line.innerText(), /plant\.press1\s+(idle|holding)\s+never fired/);
    await page.locator('li[data-line="15"].active', { hasText: 'fired once' }).waitFor({ timeout: 30_000 });
    assert.match(await page.locator('main').innerText(), /plant\.press1\.coolant/, 'what it owns');
    await steps.go(page, '#/programs');
    await page.locator('tr[data-program="line_guard"] .some-active').waitFor();
  })]);

await runCases(cases, () => browser.close(), { atOnce: 4 });
