// The keyboard, for the whole page: one key finds anything, arrows walk through
// whatever is marked with `data-arrows`, and "?" tells the keys.

import { signal } from '@preact/signals';

export const searching = signal(false);
export const helping = signal(false);

const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea, summary, [tabindex="0"]';

const isTyping = (e: Element): boolean => e.matches('input:not([type="checkbox"]), textarea, select, [contenteditable]');
const visible = (e: Element): boolean => e.getClientRects().length > 0;

/** What takes the focus in an item of a list: what is like the present one, else the first. */
function stopIn(item: Element, like: Element): HTMLElement | null {
  const all = [...(item.matches(FOCUSABLE) ? [item] : item.querySelectorAll(FOCUSABLE))].filter(visible);
  return (all.find((e) => e.tagName === like.tagName && e.className === like.className) ?? all[0] ?? null) as HTMLElement | null;
}

function step(key: string, at: number, count: number): number {
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  return at + (key === 'ArrowDown' || key === 'ArrowRight' ? 1 : -1);
}

/** Moves the focus through the items of a list, a table's rows or a bar. */
function walk(event: KeyboardEvent, target: Element): void {
  const list = target.closest('[data-arrows]');
  if (!list) return;
  const across = list.getAttribute('data-arrows') === 'x';
  const keys = across ? ['ArrowLeft', 'ArrowRight', 'Home', 'End'] : ['ArrowUp', 'ArrowDown', 'Home', 'End'];
  if (!keys.includes(event.key)) return;
  const stops = [...list.children].map((item) => ({ item, stop: stopIn(item, target) })).filter((x) => x.stop !== null);
  const at = stops.findIndex(({ item }) => item.contains(target));
  const next = stops[step(event.key, at, stops.length)];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.stop?.focus();
}

/** Esc closes what unfolds over the page, and gives the focus back to what opened it. */
function fold(event: KeyboardEvent, target: Element): void {
  const open = target.closest<HTMLDetailsElement>('details[data-over][open]');
  if (!open) return;
  event.preventDefault();
  open.open = false;
  open.querySelector('summary')?.focus();
}

function onKey(event: KeyboardEvent): void {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    searching.value = true;
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape') fold(event, target);
  if (isTyping(target)) return;
  const open = document.querySelector('dialog[open]') !== null;
  if (event.key === '/' && !open) {
    event.preventDefault();
    searching.value = true;
  } else if (event.key === '?' && !open) helping.value = true;
  else walk(event, target);
}

export function startKeys(): void {
  document.addEventListener('keydown', onKey);
}
