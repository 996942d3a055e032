// Dark or light: what the system says, unless the reader chose.

import { effect, signal } from '@preact/signals';
import { remember, remembered } from './memory';

export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'sedge.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');
const systemDark = signal(system.matches);

function stored(): Theme {
  const value = remembered(KEY);
  return value === 'light' || value === 'dark' ? value : 'auto';
}

export const theme = signal<Theme>(stored());
/** Counts changes of colour: what is drawn on a canvas must be drawn again. */
export const painted = signal(0);

export function nextTheme(): void {
  const order: Theme[] = ['auto', 'light', 'dark'];
  chooseTheme(order[(order.indexOf(theme.value) + 1) % order.length] ?? 'auto');
}

export function chooseTheme(next: Theme): void {
  theme.value = next;
  remember(KEY, next);
}

export function startTheme(): void {
  system.addEventListener('change', (event) => (systemDark.value = event.matches));
  effect(() => {
    const dark = theme.value === 'dark' || (theme.value === 'auto' && systemDark.value);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    painted.value = painted.peek() + 1;
  });
}

/** A custom property of the style sheet, for canvases. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
