// Putting an alert aside for a while, with a reason (ISA-18.2).

import { signal, useSignal } from '@preact/signals';
import { shelve, type Alert } from '../api';
import { t } from '../i18n';
import { sayError } from '../said';
import { applyAlerts } from '../store';
import { Dialog } from './dialog';
import { whoAmI } from './name';

/** The alert whose dialog is open. */
export const shelving = signal<Alert | null>(null);

const TIMES = ['900000', '3600000', '28800000', '86400000'];
const WHY_MAX = 200;

export function ShelveDialog() {
  const alert = shelving.value;
  return (
    <Dialog open={alert !== null} onClose={() => (shelving.value = null)} labelledBy="shelve-title">
      {alert && <Form key={alert.id} alert={alert} />}
    </Dialog>
  );
}

function Form({ alert }: { alert: Alert }) {
  const failed = useSignal<string | null>(null);
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const why = String(fields.get('why') ?? '').trim();
    if (!why) return;
    const name = await whoAmI();
    if (!name) return;
    busy.value = true;
    try {
      applyAlerts([await shelve(alert.id, name, Number(fields.get('for')), why)]);
      shelving.value = null;
    } catch (error) {
      failed.value = sayError(error);
    }
    busy.value = false;
  };
  return (
    <form onSubmit={(e) => void submit(e)}>
      <h2 id="shelve-title">{t.alerts.shelveTitle}</h2>
      <p class="quoted" translate={false}>{alert.text}</p>
      <p>{t.alerts.shelveExplain}</p>
      <fieldset class="choices">
        <legend>{t.alerts.shelveFor}</legend>
        {TIMES.map((ms, i) => (
          <label key={ms}><input type="radio" name="for" value={ms} defaultChecked={i === 1} data-autofocus={i === 1 || undefined} /> <span>{t.alerts.shelveTimes[ms]}</span></label>
        ))}
      </fieldset>
      <label>
        {t.alerts.why}
        <input name="why" required maxLength={WHY_MAX} placeholder={t.alerts.whyHint} autocomplete="off" />
      </label>
      {failed.value && <p class="refusal" role="alert" translate={false}>{failed.value}</p>}
      <div class="buttons">
        <button type="button" onClick={() => (shelving.value = null)}>{t.cancel}</button>
        <button type="submit" class="primary" disabled={busy.value}>{t.alerts.shelve}</button>
      </div>
    </form>
  );
}
