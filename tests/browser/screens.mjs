// Every screen of the page, what shows that it is drawn, and the checks that
// each of them must pass.  Used against the faked plant and against sedge.

import { contrastProblems, foreignWords, namelessControls, structureProblems } from './audit.mjs';
import * as steps from './steps.mjs';

export const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } };

/** The address after "#", and something that is there when the screen is. */
export const SCREENS = [
  ['#/', '.status a'],
  ['#/devices', 'table.devices tbody tr'],
  ['#/device/plant.press1', 'article.property .chart'],
  ['#/device/plant.press1.coolant', 'form.command'],
  ['#/alerts', '[role="tabpanel"]'],
  ['#/alerts?list=history', '[role="tabpanel"]#panel-history'],
  ['#/actions', '.wide-actions'],
  ['#/programs', 'table.programs tbody tr'],
  ['#/program/line_guard', '.source-lines .with-rule'],
  ['#/history', '.explorer .nothing'],
  ['#/history?s=plant.press1.temperature&s=plant.meter.power&s=plant.press1.running&span=3600000', '.lanes figure:nth-of-type(3) canvas'],
  ['#/discovered', 'li[data-topic]'],
  ['#/connections', 'table tbody tr[data-client]'],
  ['#/settings', '#listeners'],
  ['#/more', '.places a'],
];

export const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

export async function show(page, hash, sign) {
  await steps.go(page, hash);
  await page.locator(`main ${sign}`).first().waitFor({ state: 'attached', timeout: 20_000 });
  await page.locator('main h1').waitFor({ state: 'attached' });
}

/** The names that a site gives to its things: they are no words of the page. */
export async function namesOf(url) {
  const site = await (await fetch(new URL('api/site', url))).json();
  const names = new Set([site.name]);
  for (const d of site.devices) {
    for (const name of [d.name, d.name.split('.').at(-1), d.model, d.owner, ...d.actions.map((a) => a.name)]) if (name) names.add(name);
    for (const p of d.properties) names.add(`${d.name}.${p.name}`).add(p.name);
    for (const p of d.properties) if (p.unit) names.add(p.unit);
  }
  for (const p of site.programs) names.add(p.name);
  return [...names];
}

/** What is wrong with what is shown: empty if nothing is. */
export async function wrongsOf(page, where, { names = null } = {}) {
  const wrongs = [
    ...((await fits(page)) ? [] : ['wider than the screen']),
    ...(await page.evaluate(namelessControls)).map((x) => `without a name: ${x}`),
    ...(await page.evaluate(structureProblems)),
    ...(await page.evaluate(contrastProblems)).map((x) => `contrast ${x}`),
    ...(names ? (await page.evaluate(foreignWords, [...names].sort((a, b) => b.length - a.length))).map((x) => `English on a Chinese screen: ${x}`) : []),
  ];
  return wrongs.map((x) => `${where}: ${x}`);
}
