// What a person does on the page and must then see.  Used against the faked
// plant and against sedge itself, so both are the same to the page.

import assert from 'node:assert/strict';

const WAIT_MS = 20_000;

export async function waitLive(page) {
  await page.locator('.link-state.live').waitFor({ timeout: WAIT_MS });
}

export async function go(page, hash) {
  await page.evaluate((h) => { location.hash = h; }, hash);
}

/** The number that the page shows for a series. */
export async function seesValue(page, series, text) {
  const value = page.locator(`[data-series="${series}"] .number`).first();
  await value.waitFor({ timeout: WAIT_MS });
  await page.waitForFunction(
    ([name, want]) => [...document.querySelectorAll(`[data-series="${name}"] .number`)].some((e) => e.textContent === want),
    [series, text],
    { timeout: WAIT_MS },
  );
}

/** A dialog that was closed is gone only when its close has been heard. */
export async function noDialog(page) {
  await page.locator('dialog[open]').waitFor({ state: 'detached', timeout: WAIT_MS });
  await page.locator('dialog *').first().waitFor({ state: 'detached', timeout: WAIT_MS });
}

export async function seesAlert(page, pattern, timeout = 60_000) {
  await go(page, '#/alerts');
  const alert = page.locator('li.alert', { hasText: pattern }).first();
  await alert.waitFor({ timeout });
  return alert;
}

/** Acknowledges as `name`; the dialog only comes up the first time. */
export async function acknowledges(page, alert, name) {
  const id = await alert.getAttribute('data-alert');
  await alert.getByRole('button', { name: /Acknowledge/ }).click();
  await sayName(page, name);
  // What was back to normal is over now, and stands with what is over.
  const same = page.locator(`li.alert[data-alert="${id}"]`);
  await page.waitForFunction((x) => !document.querySelector(`li.alert[data-alert="${x}"] .acknowledge`), id, { timeout: WAIT_MS });
  if ((await same.count()) === 0) await page.getByRole('tab', { name: 'History' }).click();
  await same.getByText(`acknowledged by ${name}`).waitFor({ timeout: WAIT_MS });
  assert.equal(await same.getByRole('button', { name: /Acknowledge/ }).count(), 0, 'no second acknowledge');
  return id;
}

async function sayName(page, name) {
  const dialog = page.getByRole('dialog');
  const known = await page.evaluate(() => localStorage.getItem('sedge.name') !== null);
  if (known) return;
  await dialog.waitFor({ timeout: WAIT_MS });
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Continue' }).click();
}

/** An action of a program, with rule and sample, in the list. */
export async function seesAction(page, { device, action, program, series }) {
  await go(page, '#/actions');
  const item = page
    .locator('li.action', { hasText: `${device}.${action}(` })
    .filter({ has: page.locator('.source a', { hasText: program }) })
    .first();
  await item.waitFor({ timeout: 60_000 });
  await item.locator('.source code').first().waitFor({ timeout: WAIT_MS });
  assert.match(await item.locator('.source code').first().innerText(), /^(when|every|until)/, 'the rule is shown');
  assert.match(await item.locator('.cause').innerText(), new RegExp(series.replaceAll('.', '\\.')), 'the sample is shown');
  return item;
}

/** Fills in and sends a command; says `name` if the page asks, unless name is null. */
export async function command(page, device, action, name, args = {}) {
  await go(page, `#/device/${device}`);
  const form = page.locator(`form[data-command="${action}"]`);
  await form.waitFor({ timeout: WAIT_MS });
  for (const [key, value] of Object.entries(args)) await form.getByLabel(key).fill(value);
  await form.getByRole('button', { name: `Send ${action}` }).click();
  if (name !== null) await sayName(page, name);
  return form;
}

export async function seesRefusal(page, form, owner) {
  const refusal = form.locator('.refusal');
  await refusal.waitFor({ timeout: WAIT_MS });
  assert.match(await refusal.innerText(), new RegExp(owner), 'the refusal names the owner');
  assert.match(await page.locator('.owned').innerText(), new RegExp(owner), 'the commands name the owner');
}

/** Values say that they are stale, on the picture and on the device's page. */
export async function seesStale(page, station, series) {
  await go(page, '#/');
  const box = page.locator(`a.station[href="#/device/${station}"]`);
  await box.locator('.stale-note').waitFor({ timeout: 60_000 });
  assert.match(await box.locator('.stale-note').textContent(), /stale for \d/);
  await go(page, `#/device/${station}`);
  const value = page.locator(`[data-series="${series}"].q-stale`).first();
  await value.waitFor({ timeout: WAIT_MS });
  await page.locator('.note.stale', { hasText: /stale for \d/ }).first().waitFor({ timeout: WAIT_MS });
}
