// All actions: cause, program, rule, sample, outcome.

import { useEffect } from 'preact/hooks';
import { getActions } from '../api';
import { t } from '../i18n';
import { ActionList } from '../parts/actionlist';
import { actions, applyActions } from '../store';

const FETCH_MAX = 200;

export function ActionsScreen() {
  useEffect(() => {
    getActions(FETCH_MAX).then(applyActions, () => undefined);
  }, []);
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.actions}</h1>
      <section class="panel wide-actions" aria-label={t.nav.actions}>
        <ActionList actions={actions.value} empty={t.actions.none} />
      </section>
    </>
  );
}
