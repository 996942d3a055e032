// A command by hand: one form for each action of a device.  Whether it is
// allowed is the server's to say, and its words are shown.

import { useSignal } from '@preact/signals';
import { command, type ActionDecl, type Device, type Param, type Value } from '../api';
import { t } from '../i18n';
import { sayError } from '../said';
import { applyActions } from '../store';
import { Outcome } from './actionlist';
import { actions as allActions } from '../store';
import { whoAmI } from './name';

class BadArgument extends Error {}

function read(form: HTMLFormElement, params: Param[]): Record<string, Value> {
  const args: Record<string, Value> = {};
  for (const p of params) {
    const field = form.elements.namedItem(p.name);
    if (!(field instanceof HTMLInputElement)) continue;
    if (p.type === 'bool') args[p.name] = field.checked;
    else if (p.type === 'str') args[p.name] = field.value;
    else {
      // A comma is what many keyboards offer for the decimal point.
      const number = Number(field.value.trim().replace(',', '.'));
      if (field.value.trim() === '' || !Number.isFinite(number)) throw new BadArgument(t.device.badNumber(p.name));
      args[p.name] = number;
    }
  }
  return args;
}

function Field({ param, id }: { param: Param; id: string }) {
  if (param.type === 'bool') {
    return (
      <label class="field check">
        <input type="checkbox" name={param.name} /> <span translate={false}>{param.name}</span>
      </label>
    );
  }
  return (
    <label class="field" htmlFor={id}>
      <span translate={false}>{param.name}</span>
      <span class="with-unit">
        <input id={id} name={param.name} inputMode={param.type === 'str' ? 'text' : 'decimal'} autocomplete="off" required />
        {param.unit && <span class="unit" translate={false}>{param.unit}</span>}
      </span>
    </label>
  );
}

export function Command({ device, decl }: { device: Device; decl: ActionDecl }) {
  const busy = useSignal(false);
  const refusal = useSignal<string | null>(null);
  const sent = useSignal<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    refusal.value = null;
    try {
      const args = read(form, decl.params);
      const name = await whoAmI();
      if (!name) return;
      busy.value = true;
      const action = await command(device.name, decl.name, args, name);
      applyActions([action]);
      sent.value = action.id;
    } catch (error) {
      sent.value = null;
      refusal.value = sayError(error);
    } finally {
      busy.value = false;
    }
  };
  const action = sent.value === null ? undefined : allActions.value.find((a) => a.id === sent.value);
  return (
    <form class="command" data-command={decl.name} onSubmit={(e) => void submit(e)}>
      <div class="fields">
        {decl.params.map((p) => <Field key={p.name} param={p} id={`arg-${decl.name}-${p.name}`} />)}
        <button type="submit" class={device.owner ? '' : 'primary'} disabled={busy.value}>
          {busy.value ? t.device.sending : t.device.run(decl.name)}
        </button>
        {decl.safe && <span class="chip">{t.device.safe}</span>}
      </div>
      <p class="faint">{decl.confirms ? t.device.confirms(decl.confirms) : t.device.unconfirmed}</p>
      <div class="result" aria-live="polite">
        {action && <Outcome action={action} />}
        {action?.why && <span class="refusal" translate={false}>{action.why}</span>}
        {refusal.value && <p class="refusal">{t.device.refused}: <span translate={false}>{refusal.value}</span></p>}
      </div>
    </form>
  );
}
