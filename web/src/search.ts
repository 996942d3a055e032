// What can be found, and how well it answers what was typed.

import type { Alert, Program, Site, Topic } from './api';
import { languages, t } from './i18n';
import { PLACES } from './nav';
import { alertText } from './said';
import { toAdopt, toDevice, toProgram, toProperty, toScreen } from './address';

export type Kind = keyof typeof t.search.kind;

export interface Entry {
  kind: Kind;
  title: string;
  /** What tells it from others of its name. */
  detail: string;
  href: string;
  /** Further words that find it. */
  also: string;
}

const RESULTS_MAX = 40;

const entry = (kind: Kind, title: string, detail: string, href: string, also = ''): Entry => ({ kind, title, detail, href, also });

export interface Known {
  site: Site | null;
  programs: Program[];
  alerts: Alert[];
  topics: Topic[];
}

/** All there is to be found, the most sought kinds first. */
export function entriesOf({ site, programs, alerts, topics }: Known): Entry[] {
  const entries = PLACES.map(({ screen }) =>
    entry('screen', t.nav[screen], t.about[screen], toScreen(screen), Object.values(languages).map((l) => l.nav[screen]).join(' ')));
  for (const d of site?.devices ?? []) {
    entries.push(entry('device', d.name, d.model, toDevice(d.name), `${d.id ?? ''} ${d.link.text ?? d.topic ?? ''}`));
    for (const p of d.properties) entries.push(entry('property', `${d.name}.${p.name}`, p.unit ?? '', toProperty(d.name, p.name)));
    for (const a of d.actions) entries.push(entry('command', `${d.name}.${a.name}()`, '', `${toDevice(d.name)}?command=${encodeURIComponent(a.name)}`));
  }
  for (const p of programs) {
    entries.push(entry('program', p.name, p.file, toProgram(p.name)));
    for (const r of p.rules) entries.push(entry('rule', r.text, `${p.name}:${r.line}`, toProgram(p.name, r.line), r.path));
  }
  for (const a of alerts) entries.push(entry('alert', alertText(a), t.alerts.state[a.state], `#/alerts?alert=${a.id}`, t.alerts.severity[a.severity]));
  for (const x of topics) entries.push(entry('topic', x.topic, x.payload.slice(0, 60), x.device ? toDevice(x.device) : toAdopt(x.topic)));
  return entries;
}

/** Whether the letters of `word` come in `text` in their order. */
function inOrder(word: string, text: string): boolean {
  let at = 0;
  for (const c of word) {
    at = text.indexOf(c, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

function wordScore(word: string, e: Entry): number {
  const title = e.title.toLowerCase();
  if (title === word) return 100;
  const at = title.indexOf(word);
  if (at === 0) return 80;
  if (at > 0) return /[\s._/#:()-]/.test(title[at - 1] ?? '') ? 60 : 40;
  if (`${e.detail} ${e.also}`.toLowerCase().includes(word)) return 20;
  return word.length > 2 && inOrder(word, title) ? 8 : 0;
}

/** 0: no answer to it. */
export function score(words: string[], e: Entry): number {
  let sum = 0;
  for (const word of words) {
    const one = wordScore(word, e);
    if (one === 0) return 0;
    sum += one;
  }
  return sum;
}

/** The best answers, best first; without words, the screens. */
export function find(text: string, entries: Entry[]): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return entries.filter((e) => e.kind === 'screen');
  return entries
    .map((e) => ({ e, s: score(words, e) }))
    .filter(({ s }) => s > 0)
    .sort((a, b) => b.s - a.s || a.e.title.length - b.e.title.length)
    .slice(0, RESULTS_MAX)
    .map(({ e }) => e);
}
