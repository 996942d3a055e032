// A long list: its beginning, and a button for more. A site may have thousands of devices; a browser that draws all of
// them is busy with nothing else.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { t } from '../i18n';
import { whole } from '../format';

interface Props<T> {
  items: T[];
  /** So many at first, and with each press. */
  page: number;
  children: (shown: T[]) => ComponentChildren;
}

export function Bounded<T>({ items, page, children }: Props<T>) {
  const shown = useSignal(page);
  const place = useRef<HTMLDivElement>(null);
  const left = items.length - shown.value;
  const more = () => {
    shown.value += page;
    // The button moves away, or is gone: who pressed it by keyboard goes on in what has come.
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) place.current?.focus();
    });
  };
  return (
    <div class="bounded" ref={place} tabIndex={-1}>
      {children(items.slice(0, shown.value))}
      {left > 0 && <button type="button" class="more" onClick={more}>{t.further(whole(left))}</button>}
    </div>
  );
}
