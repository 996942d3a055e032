// ctest: timeout=300
// Every screen at the size of a phone and of a desk, dark and light, English
// and Chinese, with a faked plant behind it: it fits, can be read by eyes and
// by a screen reader, and is in the reader's language.

import assert from 'node:assert/strict';
import { builtPage, launch, openPage, runCases, startMock } from './harness.mjs';
import { namesOf, SCREENS, show, SIZES, wrongsOf } from './screens.mjs';
import * as steps from './steps.mjs';

const mock = await startMock({ dir: await builtPage(), fault: 'overheat' });
const browser = await launch();
const names = [...(await namesOf(mock.url)), 'Ada', 'historian', 'tele/plug1/SENSOR', 'weather/roof/temperature', 'zigbee2mqtt/door', 'line1/packer', 'devices.sedge'];
const ADOPT = ['#/adopt/tele%2Fplug1%2FSENSOR', 'textarea'];
const UNREAD = ['#/discovered?list=unread', '.refusal .place'];

const cases = [];
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const [colorScheme, locale] of [['dark', 'en-GB'], ['light', 'zh-CN']]) {
    cases.push([`${size}, ${colorScheme}, ${locale}: every screen fits, can be read, and is silent`, async () => {
      const { context, page, wrongs } = await openPage(browser, mock.url, { viewport, colorScheme, locale });
      await steps.waitLive(page);
      assert.equal(await page.evaluate(() => document.documentElement.lang), locale === 'zh-CN' ? 'zh-CN' : 'en');
      for (const [hash, sign] of [...SCREENS, ADOPT, UNREAD]) {
        await show(page, hash, sign);
        wrongs.push(...(await wrongsOf(page, hash, { names: locale === 'zh-CN' ? names : null })));
      }
      assert.deepEqual(wrongs, []);
      await context.close();
    }]);
  }
}

cases.push(['dialogs are read and said as the rest: search, keys, shelving, name', async () => {
  for (const locale of ['en-GB', 'zh-CN']) {
    const { context, page, wrongs } = await openPage(browser, `${mock.url}#/alerts`, { locale, colorScheme: 'dark' });
    await steps.waitLive(page);
    const check = async (what) => wrongs.push(...(await wrongsOf(page, what, { names: locale === 'zh-CN' ? names : null })));
    await page.keyboard.press('/');
    await page.getByRole('combobox').fill('plant');
    await page.locator('[role="option"]').first().waitFor();
    await check('search');
    await page.keyboard.press('Escape');
    await steps.noDialog(page);
    await page.keyboard.press('?');
    await page.locator('dialog[open] .keys-list').waitFor();
    await check('keys');
    await page.keyboard.press('Escape');
    await steps.noDialog(page);
    await page.locator('button.shelve').first().click();
    await page.locator('dialog[open] [name="why"]').waitFor();
    await check('shelving');
    await page.keyboard.press('Escape');
    await steps.noDialog(page);
    await page.locator('button.acknowledge').first().click();
    await page.locator('dialog[open] [name="name"]').waitFor();
    await check('name');
    assert.deepEqual(wrongs, []);
    await context.close();
  }
}]);

cases.push(['the language follows the browser, is switched in place, and is remembered', async () => {
  const { context, page } = await openPage(browser, `${mock.url}#/history`, { locale: 'zh-TW' });
  await steps.waitLive(page);
  await page.getByRole('heading', { level: 1, name: '历史' }).waitFor();
  await page.getByRole('combobox', { name: '添加序列' }).fill('press');
  await page.locator('button.language').click();
  await page.getByRole('heading', { level: 1, name: 'History' }).waitFor();
  assert.equal(await page.getByRole('combobox', { name: 'Add a series' }).inputValue(), 'press', 'what was typed stays');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'plain language', 'and so does the focus');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'History' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  await context.close();
}]);

await runCases(cases, async () => {
  await browser.close();
  await mock.close();
});
