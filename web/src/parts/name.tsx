// Who acts.  Asked once, when a name is first needed, and remembered in this
// browser; it stands beside what was acknowledged or commanded.

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { remember, remembered } from '../memory';

const KEY = 'sedge.name';
const NAME_MAX = 64;

export const me = signal<string | null>(remembered(KEY));
const asking = signal<((name: string | null) => void) | null>(null);

function ask(): Promise<string | null> {
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
  return me.peek() ?? ask();
}

export function Me() {
  if (!me.value) return null;
  return (
    <p class="me">
      {t.name.you(me.value)}{' '}
      <button type="button" class="link" onClick={() => void ask()}>{t.name.change}</button>
    </p>
  );
}

export function NameDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const done = asking.value;
  useEffect(() => {
    const element = dialog.current;
    if (done && element && !element.open) {
      element.showModal();
      input.current?.select();
    }
    if (!done && element?.open) element.close();
  }, [done]);
  const submit = (event: Event) => {
    event.preventDefault();
    const name = input.current?.value.trim();
    if (name) done?.(name);
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="name-title" onClose={() => done?.(null)}>
      <form onSubmit={submit}>
        <h2 id="name-title">{t.name.title}</h2>
        <p>{t.name.explain}</p>
        <label>
          {t.name.label}
          <input ref={input} name="name" autocomplete="name" required maxLength={NAME_MAX} defaultValue={me.peek() ?? ''} />
        </label>
        <div class="buttons">
          <button type="button" onClick={() => done?.(null)}>{t.name.cancel}</button>
          <button type="submit" class="primary">{t.name.ok}</button>
        </div>
      </form>
    </dialog>
  );
}
