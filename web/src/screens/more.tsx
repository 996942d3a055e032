// Where a phone's bar has no room: every screen, with what it is for.

import { t } from '../i18n';
import { PLACES } from '../nav';
import { Icon } from '../parts/icons';
import { toScreen } from '../router';

export function MoreScreen() {
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.more}</h1>
      <ul class="panel places" data-arrows="y">
        {PLACES.map(({ screen, icon }) => (
          <li key={screen}>
            <a href={toScreen(screen)}>
              <Icon name={icon} />
              <span><b>{t.nav[screen]}</b><span class="faint">{t.about[screen]}</span></span>
              <Icon name="forward" />
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
