// The page's words in the reader's language: what the browser prefers, unless
// the reader chose.
//
// `t` looks like an object of words.  It reads a signal, so whatever a
// component takes from it while it renders is rendered anew, in place, when
// the language changes: what was typed or opened stays.

import { effect, signal } from '@preact/signals';
import { remember, remembered } from '../memory';
import { en, type Strings } from './en';
import { zh } from './zh';

export type Language = 'en' | 'zh';
export type { Strings };

export const languages: Record<Language, Strings> = { en, zh };
const KEY = 'sedge.language';

/** The first of the reader's languages that the page speaks. */
export function preferred(stored: string | null, wanted: readonly string[]): Language {
  if (stored === 'en' || stored === 'zh') return stored;
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

const wanted = typeof navigator === 'undefined' ? [] : (navigator.languages ?? [navigator.language]);

export const language = signal<Language>(preferred(remembered(KEY), wanted));

export const t: Strings = new Proxy(en, {
  get: (_, key) => languages[language.value][key as keyof Strings],
});

export function chooseLanguage(next: Language): void {
  language.value = next;
  remember(KEY, next);
}

export const otherLanguage = (): Language => (language.value === 'en' ? 'zh' : 'en');

export function startLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  });
}
