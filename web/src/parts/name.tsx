// Who acts.  Asked once, when a name is first needed, and remembered in this
// browser; it stands beside what was acknowledged or commanded.

import { signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { t } from '../i18n';
import { remember, remembered } from '../memory';
import { Dialog } from './dialog';

const KEY = 'sedge.name';
const NAME_MAX = 64;

export const me = signal<string | null>(remembered(KEY));
const asking = signal<((name: string | null) => void) | null>(null);

export function askName(): Promise<string | null> {
  return new Promise((resolve) => {
    asking.value?.(null);
    asking.value = (name) => {
      asking.value = null;
      if (name !== null) {
        me.value = name;
        remember(KEY, name);
      }
      resolve(name);
    };
  });
}

/** The reader's name; null if the reader will not say. */
export async function whoAmI(): Promise<string | null> {
  return me.peek() ?? askName();
}

export function Me() {
  if (!me.value) return null;
  return (
    <p class="me">
      {t.name.you(me.value)}{' '}
      <button type="button" class="link" onClick={() => void askName()}>{t.name.change}</button>
    </p>
  );
}

export function NameDialog() {
  const input = useRef<HTMLInputElement>(null);
  const done = asking.value;
  const submit = (event: Event) => {
    event.preventDefault();
    const name = input.current?.value.trim();
    if (name) done?.(name);
  };
  return (
    <Dialog open={done !== null} onClose={() => asking.peek()?.(null)} labelledBy="name-title">
      <form onSubmit={submit}>
        <h2 id="name-title">{t.name.title}</h2>
        <p>{t.name.explain}</p>
        <label>
          {t.name.label}
          <input ref={input} data-autofocus name="name" autocomplete="name" required maxLength={NAME_MAX} defaultValue={me.peek() ?? ''} />
        </label>
        <div class="buttons">
          <button type="button" onClick={() => done?.(null)}>{t.cancel}</button>
          <button type="submit" class="primary">{t.name.ok}</button>
        </div>
      </form>
    </Dialog>
  );
}
