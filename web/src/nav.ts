// The screens, in the order in which they stand in the page's rail.

import type { IconName } from './parts/icons';
import type { Screen } from './address';

export interface Place {
  screen: Exclude<Screen, 'device' | 'program' | 'adopt' | 'more'>;
  icon: IconName;
  /** A phone's bar has room for these and for "more". */
  first: boolean;
}

export const PLACES: Place[] = [
  { screen: 'overview', icon: 'overview', first: true },
  { screen: 'devices', icon: 'devices', first: true },
  { screen: 'alerts', icon: 'alerts', first: true },
  { screen: 'actions', icon: 'actions', first: false },
  { screen: 'programs', icon: 'programs', first: false },
  { screen: 'history', icon: 'history', first: true },
  { screen: 'discovered', icon: 'discovered', first: false },
  { screen: 'connections', icon: 'connections', first: false },
  { screen: 'settings', icon: 'settings', first: false },
];

/** Which place of the rail a screen belongs to. */
export function placeOf(screen: Screen): Screen {
  if (screen === 'device') return 'devices';
  if (screen === 'program') return 'programs';
  return screen === 'adopt' ? 'discovered' : screen;
}
