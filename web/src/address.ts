// The screen is in the address after "#", so that links, bookmarks and the
// back button work without the server knowing of screens.

export type Screen =
  | 'overview' | 'devices' | 'device' | 'alerts' | 'actions' | 'programs' | 'program' | 'history' | 'discovered' | 'adopt' | 'connections' | 'settings' | 'more';

export interface Route {
  screen: Screen;
  /** What stands behind the screen's name: a device, a program or a topic. */
  name: string;
  query: URLSearchParams;
}

const SCREENS: Screen[] = ['devices', 'device', 'alerts', 'actions', 'programs', 'program', 'history', 'discovered', 'adopt', 'connections', 'settings', 'more'];

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

export const toDevice = (name: string): string => `#/device/${encodeURIComponent(name)}`;
export const toProperty = (device: string, property: string): string => `${toDevice(device)}?property=${encodeURIComponent(property)}`;
export const toProgram = (name: string, line: number | null = null): string => `#/program/${encodeURIComponent(name)}${line ? `?line=${line}` : ''}`;
export const toAdopt = (topic: string): string => `#/adopt/${encodeURIComponent(topic)}`;
export const toHistory = (series: string[]): string => `#/history${series.length > 0 ? `?${new URLSearchParams([...series.map((s) => ['s', s]), ['span', '3600000']]).toString()}` : ''}`;
export const toScreen = (screen: Screen): string => (screen === 'overview' ? '#/' : `#/${screen}`);
