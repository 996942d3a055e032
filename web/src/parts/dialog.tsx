// A modal dialog: the browser keeps the focus inside, closes it with Esc and
// gives the focus back to where it was.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface Props {
  open: boolean;
  onClose: () => void;
  /** The id of what names it. */
  labelledBy: string;
  class?: string;
  children: ComponentChildren;
}

export function Dialog({ open, onClose, labelledBy, class: extra = '', children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the next key is handled: who types at once after `/` types into the field.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (open && !element.open) {
      element.showModal();
      element.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    }
    if (!open && element.open) element.close();
  }, [open]);
  const onClosed = () => {
    // The word comes a moment later, and somebody may have opened it again.
    if (!dialog.current?.open) onClose();
  };
  const onClick = (event: MouseEvent) => {
    // A click on the backdrop is one on the element, outside of its box.
    const box = dialog.current?.getBoundingClientRect();
    if (!box || event.target !== dialog.current) return;
    if (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom) onClose();
  };
  return (
    <dialog ref={dialog} class={`dialog ${extra}`} aria-labelledby={open ? labelledBy : undefined} onClose={onClosed} onClick={onClick}>
      {open && children}
    </dialog>
  );
}
