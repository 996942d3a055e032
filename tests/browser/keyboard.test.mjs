// ctest: timeout=300
// The page by keyboard alone, with a faked plant behind it: one key finds
// anything, arrows walk, the focus stays where the reader put it while the
// page changes, and everything that can be done can be done without a mouse.

import assert from 'node:assert/strict';
import { builtPage, launch, openPage, runCases, startMock } from './harness.mjs';
import * as steps from './steps.mjs';

const dir = await builtPage();
const browser = await launch();
const mock = await startMock({ dir, fault: 'none' });
const { page, wrongs } = await openPage(browser, mock.url);
await steps.waitLive(page);
await page.evaluate(() => localStorage.setItem('sedge.name', 'Ada'));
await page.reload();
await steps.waitLive(page);

/** What has the focus, in a few words. */
const focused = () =>
  page.evaluate(() => {
    const e = document.activeElement;
    return `${e.tagName.toLowerCase()} ${e.getAttribute('aria-label') ?? e.textContent.trim()}`;
  });
const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const noDialog = () => steps.noDialog(page);

async function open(hash, sign) {
  await steps.go(page, hash);
  await page.locator(sign).first().waitFor();
}

/** Searches, and opens the first answer. */
async function search(text, first) {
  await press('Control+k');
  await page.getByRole('combobox', { name: /Search for/ }).fill(text);
  const chosen = page.locator('[role="option"][aria-selected="true"]', { hasText: first });
  await chosen.waitFor();
  await press('Enter');
  await noDialog();
}

const cases = [
  ['the first stop is the way to the content, and a new screen begins at its heading', async () => {
    await press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
    await press('Tab');
    assert.match(await focused(), /^a 8 devices/);
    await press('Enter');
    await page.locator('h1', { hasText: 'Devices' }).waitFor();
    assert.match(await focused(), /^h1 Devices/);
  }],
  ['who types at once after the key of the search types into its field', async () => {
    await press('/');
    await page.keyboard.type('press1');
    await page.locator('[role="option"][aria-selected="true"]', { hasText: 'plant.press1' }).waitFor();
    assert.equal(await page.getByRole('combobox', { name: /Search for/ }).inputValue(), 'press1');
    await press('Escape');
    await noDialog();
  }],
  ['the focus can be seen', async () => {
    await press('Tab');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, 'solid');
  }],
  ['arrows walk through the screens', async () => {
    await page.locator('.rail a').first().focus();
    await press('ArrowDown', 'ArrowDown');
    assert.match(await focused(), /^a Alerts/);
    await press('End');
    assert.match(await focused(), /^a Settings/);
    await press('ArrowUp', 'Enter');
    await page.locator('h1', { hasText: 'Connections' }).waitFor();
  }],
  ['one key finds devices, properties, commands, programs, rules, alerts, topics, screens', async () => {
    await search('press1.temp', 'plant.press1.temperature');
    await page.locator('h1', { hasText: 'plant.press1' }).waitFor();
    assert.match(await focused(), /^article temperature/, 'a property is shown, and has the focus');
    await search('tank fill', 'plant.tank.fill()');
    await page.waitForFunction(() => document.activeElement.name === 'target');
    await search('energy.sedge', 'energy');
    await page.locator('h1', { hasText: 'energy' }).waitFor();
    await search('stale temp', 'when stale temp');
    await page.locator('li[data-line="28"].chosen').waitFor();
    await search('oven is jammed', 'plant.oven is jammed');
    await page.waitForFunction(() => document.activeElement.dataset.alert !== undefined);
    await search('roof', 'weather/roof/temperature');
    await page.locator('h1', { hasText: 'weather/roof/temperature' }).waitFor();
    await search('设置', 'Settings');
    await page.locator('h1', { hasText: 'Settings' }).waitFor();
    await search('plant.oven', 'plant.oven');
    await page.locator('h1', { hasText: 'plant.oven' }).waitFor();
  }],
  ['search opens with "/" too, arrows choose, Esc closes and gives the focus back', async () => {
    await page.locator('.rail a', { hasText: 'History' }).focus();
    await press('/');
    const field = page.getByRole('combobox', { name: /Search for/ });
    await field.fill('plant');
    const options = page.locator('[role="option"]');
    await options.nth(2).waitFor();
    await press('ArrowDown', 'ArrowDown', 'ArrowUp');
    assert.equal(await field.getAttribute('aria-activedescendant'), 'found-1');
    assert.equal(await options.nth(1).getAttribute('aria-selected'), 'true');
    await field.fill('nothing has this name');
    await page.getByText('Nothing is called').waitFor();
    await press('Escape');
    await noDialog();
    assert.match(await focused(), /^a History/);
  }],
  ['"?" tells the keys; a click beside them closes them, one on them does not', async () => {
    await press('?');
    const keys = page.getByRole('dialog', { name: 'Keyboard' });
    await keys.waitFor();
    await keys.click({ position: { x: 5, y: 5 } });
    await page.mouse.click(5, 5);
    await noDialog();
    await press('?');
    await keys.click({ position: { x: 5, y: 5 } });
    assert.ok(await keys.isVisible());
    await press('Escape');
    await noDialog();
  }],
  ['a dialog that is closed and opened again at once stays open', async () => {
    await press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.evaluate(async () => {
      const closed = new Promise((done) => document.addEventListener('close', done, { capture: true, once: true }));
      document.querySelector('dialog[open]').dispatchEvent(new MouseEvent('click', { bubbles: true, clientX: 1, clientY: 1 }));
      while (document.querySelector('dialog[open]')) await Promise.resolve();
      document.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }));
      await closed; // the word of the first time
      await new Promise(requestAnimationFrame);
    });
    assert.equal(await page.locator('dialog[open]').count(), 1);
    await press('Escape');
    await noDialog();
  }],
  ['the focus stays on a button while alerts come, and in the list when it was pressed', async () => {
    await open('#/alerts', 'li.alert');
    const old = page.locator('li.alert', { hasText: 'peak of the last quarter' }).getByRole('button', { name: /Acknowledge/ });
    await old.focus();
    mock.plant.raise('warning', 'plant.packer vibrates', 'line_guard/st=plant.packer/when#1', 'plant.packer', { series: 'plant.packer.vibration', value: 7.3, ts_ms: Date.now() });
    await page.locator('li.alert', { hasText: 'plant.packer vibrates' }).waitFor();
    assert.match(await focused(), /Acknowledge: peak of the last/, 'it has not moved');
    await press('ArrowUp');
    assert.match(await focused(), /Acknowledge: plant\.oven is jammed/, 'arrows go from like to like');
    await press('ArrowUp');
    assert.match(await focused(), /Acknowledge: plant\.packer vibrates/);
    await press('Enter');
    await page.locator('li.alert.acknowledged', { hasText: 'plant.packer vibrates' }).waitFor();
    await page.waitForFunction(() => document.activeElement.closest('li.alert') !== null);
  }],
  ['an alert is shelved with time and reason, is listed, counted and taken back', async () => {
    await page.locator('li.alert', { hasText: 'plant.packer vibrates' }).getByRole('button', { name: /Shelve/ }).focus();
    await press('Enter');
    await page.getByRole('dialog', { name: 'Shelve this alert' }).waitFor();
    await press('ArrowRight', 'Tab');
    await page.keyboard.type('bearings are ordered');
    await press('Enter');
    await noDialog();
    const active = page.getByRole('tab', { name: /Active/ });
    await active.focus();
    await press('ArrowRight');
    assert.equal(await page.getByRole('tab', { name: /Shelved 1/ }).getAttribute('aria-selected'), 'true');
    const shelved = page.locator('li.alert.shelved', { hasText: 'plant.packer vibrates' });
    assert.match(await shelved.innerText(), /shelved by Ada until .*\((7.h 59|8.h 00).min left\)/);
    assert.match(await shelved.innerText(), /bearings are ordered/);
    await press('Tab');
    await shelved.getByRole('button', { name: /Take back/ }).focus();
    await press('Enter');
    await page.getByText('Nothing is shelved.').waitFor();
    await page.getByRole('tab', { name: /Shelved/ }).focus();
    await press('Home');
    await page.locator('li.alert', { hasText: 'plant.packer vibrates' }).waitFor();
  }],
  ['the focus stays on a topic while others come', async () => {
    await open('#/discovered', 'li[data-topic="tele/plug1/SENSOR"]');
    await page.getByRole('link', { name: 'Adopt tele/plug1/SENSOR' }).focus();
    const now = Date.now();
    mock.discover({ topic: 'a/first', count: 1, first_ms: now, last_ms: now, kind: 'text', payload: 'x', shape: 'value', fields: [], fields_left_out: 0, device: null, error: null, unreadable: 0 });
    await page.locator('li[data-topic="a/first"]').waitFor();
    assert.match(await focused(), /Adopt tele\/plug1\/SENSOR/);
    await press('ArrowDown');
    assert.match(await focused(), /Adopt weather\/roof\/temperature/);
    await press('ArrowUp', 'Enter');
    await page.locator('h1', { hasText: 'tele/plug1/SENSOR' }).waitFor();
  }],
  ['a proposal is changed, checked, refused with its place, mended and applied', async () => {
    const text = page.locator('textarea');
    await text.waitFor();
    assert.match(await text.inputValue(), /device home\.plug1: Plug/);
    await page.locator('.diff .add', { hasText: 'model Plug' }).waitFor();
    await page.getByText('its units are guessed').waitFor();
    const good = await text.inputValue();
    await text.fill(good.replace('device home', 'devise home'));
    await page.getByText('The text was changed: check it').waitFor();
    await press('Control+Enter');
    await page.getByRole('alert').getByText('did you mean `device`?').waitFor();
    await text.fill(good);
    await press('Tab', 'Tab', 'Enter');
    await page.locator('h1.done', { hasText: 'home.plug1 is in the site.' }).waitFor();
    assert.match(await focused(), /^h1 home\.plug1/, 'the result is said');
    await press('Tab', 'Enter');
    await page.locator('article[data-property="power"]').waitFor();
    await steps.go(page, '#/discovered');
    await page.locator('li[data-topic="tele/plug1/SENSOR"]').waitFor({ state: 'detached' });
  }],
  ['series are chosen, moved through and zoomed by keys', async () => {
    await open('#/history', '.explorer .nothing');
    await page.getByRole('combobox', { name: 'Add a series' }).focus();
    await page.keyboard.type('oven temp');
    await press('Enter');
    await page.locator('tr[data-legend="plant.oven.temperature"]').waitFor();
    await page.keyboard.type('meter.');
    await press('ArrowDown', 'Enter');
    await page.locator('tr[data-legend="plant.meter.energy"]').waitFor();
    assert.equal(await page.locator('.lane').count(), 2, 'each unit has a lane');
    await press('Escape');
    await page.locator('.lanes').focus();
    const inAddress = (part) => page.waitForFunction((x) => location.hash.includes(x), part);
    await press('+');
    await inAddress('span=150000');
    await press('-', '-');
    await inAddress('span=600000');
    await press('ArrowLeft');
    await inAddress('to=');
    const to = await page.evaluate(() => Number(new URLSearchParams(location.hash.split('?')[1]).get('to')));
    assert.ok(Math.abs(Date.now() - 300_000 - to) < 30_000, `half a window back: ${to}`);
    await press('0');
    await page.waitForFunction(() => !location.hash.includes('to='));
    await page.getByRole('button', { name: 'Remove plant.meter.energy' }).focus();
    await press('Enter');
    await page.locator('tr[data-legend="plant.meter.energy"]').waitFor({ state: 'detached' });
    await page.locator('details.data summary').last().focus();
    await press('Enter');
    await page.locator('details.data tbody tr').nth(3).waitFor();
  }],
  ['the tests of the site are run, pass, and fail with their reason', async () => {
    await open('#/programs', '.tests button');
    await page.getByRole('button', { name: 'Run the tests' }).focus();
    await press('Enter');
    await page.locator('.verdict.passed', { hasText: 'All 3 tests passed' }).waitFor();
    await page.getByRole('button', { name: 'Run the tests' }).click();
    await page.locator('.verdict.failed', { hasText: '1 of 3 tests failed' }).waitFor();
    assert.match(await page.locator('li[data-test="a jam stops the belt"]').innerText(), /tests\.sedge:21:3/);
  }],
  ['nothing went wrong meanwhile', async () => {
    assert.deepEqual(wrongs.filter((w) => !w.includes('422')), []);
  }],
];

await runCases(cases, async () => {
  await browser.close();
  await mock.close();
});
