import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseLanguage, languages, preferred, t } from './i18n';

type Words = { [key: string]: unknown };

/** Every word by its path; functions are called with arguments that can be told from words. */
function flat(words: Words, path = ''): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    const at = path ? `${path}.${key}` : key;
    if (typeof value === 'string') all.set(at, value);
    else if (typeof value === 'function') {
      for (const n of [0, 1, 3]) all.set(`${at}(${n})`, String((value as (...args: unknown[]) => unknown)(...Array.from({ length: value.length }, () => n))));
    } else for (const [k, v] of flat(value as Words, at)) all.set(k, v);
  }
  return all;
}

const en = flat(languages.en as unknown as Words);
const zh = flat(languages.zh as unknown as Words);

test('both languages say the same things', () => {
  assert.deepEqual([...zh.keys()].sort(), [...en.keys()].sort());
  for (const [key, text] of [...en, ...zh]) {
    if (!key.startsWith('discovered.place')) assert.notEqual(text, '', key);
    assert.doesNotMatch(text, /undefined|\[object/, key);
  }
});

test('no argument is lost in either language', () => {
  for (const [key, value] of Object.entries(languages.en.alerts)) {
    if (typeof value !== 'function' || value.length === 0) continue;
    const other = languages.zh.alerts[key as keyof typeof languages.zh.alerts] as unknown as (...args: string[]) => string;
    const args = Array.from({ length: value.length }, (_, i) => `<${i}>`);
    for (const arg of args) assert.ok(other(...args).includes(arg), `${key} ${arg}`);
  }
});

/** Names and signs that are the same in every language. */
const SHARED = /Sparkplug B|MQTT( 3\.1\.1)?|Modbus|JSON|CSV|TLS|WebSocket|sedge|English|SYS|Ctrl|Enter|Esc|plant\.press1\.temperature|home\.plug|µs|zh-CN/g;

test('Chinese is Chinese', () => {
  for (const [key, text] of zh) assert.doesNotMatch(text.replace(SHARED, ''), /[A-Za-z]/, `${key}: ${text}`);
  assert.ok(en.size > 400);
});

test('the reader is asked: stored, then the browser\'s languages in their order', () => {
  assert.equal(preferred(null, ['de-DE', 'zh-TW', 'en']), 'zh');
  assert.equal(preferred(null, ['en-US', 'zh']), 'en');
  assert.equal(preferred('zh', ['en-US']), 'zh');
  assert.equal(preferred('xx', ['fr']), 'en');
});

test('words follow the choice', () => {
  chooseLanguage('zh');
  assert.equal(t.nav.alerts, '报警');
  chooseLanguage('en');
  assert.equal(t.nav.alerts, 'Alerts');
});
