// The address of the browser, as a signal.

import { signal } from '@preact/signals';
import { parseRoute, type Route } from './address';

export * from './address';

export const route = signal<Route>(parseRoute(location.hash));

window.addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});

/** Changes the query of the current address without a step in the browser's history.  A list stands for a repeated key. */
export function setQuery(params: Record<string, string | string[] | null>): void {
  const { query } = route.peek();
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(params)) {
    next.delete(key);
    for (const one of value === null ? [] : [value].flat()) next.append(key, one);
  }
  const path = location.hash.split('?', 1)[0] || '#/';
  const search = next.toString();
  history.replaceState(null, '', search ? `${path}?${search}` : path);
  route.value = parseRoute(location.hash);
}
