// The screen is in the address after "#", so that links, bookmarks and the
// back button work without the server knowing of screens.

import { signal } from '@preact/signals';

export type Screen = 'overview' | 'device' | 'alerts' | 'actions' | 'programs' | 'discovered';

export interface Route {
  screen: Screen;
  /** What stands behind the screen's name: a device or a program. */
  name: string;
  query: URLSearchParams;
}

const SCREENS: Screen[] = ['device', 'alerts', 'actions', 'programs', 'discovered'];

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [head = '', ...rest] = path.split('/');
  const screen = SCREENS.find((s) => s === head) ?? 'overview';
  let name = rest.join('/');
  try {
    name = decodeURIComponent(name);
  } catch {
    // Not an address of ours; the screen will say that it knows no such name.
  }
  return { screen, name, query: new URLSearchParams(search) };
}

export const route = signal<Route>(parseRoute(location.hash));

window.addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});

export const toDevice = (name: string): string => `#/device/${encodeURIComponent(name)}`;
export const toProgram = (name: string): string => `#/programs/${encodeURIComponent(name)}`;

/** Changes the query of the current address without a step in the browser's history. */
export function setQuery(params: Record<string, string | null>): void {
  const { query } = route.peek();
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(params)) {
    if (value === null) next.delete(key);
    else next.set(key, value);
  }
  const path = location.hash.split('?', 1)[0] || '#/';
  const search = next.toString();
  history.replaceState(null, '', search ? `${path}?${search}` : path);
  route.value = parseRoute(location.hash);
}
