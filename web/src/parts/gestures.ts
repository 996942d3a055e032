// A range of time under fingers and keys: drag, pinch, double tap; arrows, plus, minus, 0.

import { effect, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { held, pan, rangeOf, rangeQuery, zoomAt, type Finger, type Range } from '../range';
import { route, setQuery } from '../router';
import { serverNow } from '../store';

const TAP_MAX_MS = 350;
const TAP_MAX_PX = 24;
/** Browsers take only so many changes of an address in a time, and a finger makes sixty a second. */
const ADDRESS_AFTER_MS = 200;

/** A finger and the place where it took hold, and where it is now: 0 is the left edge of the chart, 1 the right one. */
interface Hold extends Finger {
  id: number;
}

/** Fingers move what is shown; one that goes up or down scrolls the page as ever (`touch-action: pan-y`). */
export function followFingers(over: HTMLElement, range: Signal<Range>, reset: () => void): void {
  let holds: Hold[] = [];
  let start: Range = range.peek();
  let tapped = { at: -Infinity, x: 0 };
  const place = (event: PointerEvent) => {
    const box = over.getBoundingClientRect();
    return (event.clientX - box.left) / Math.max(1, box.width);
  };
  /** Another finger, or one less: what is shown now is where they begin. */
  const regrip = (next: Hold[]) => {
    start = range.peek();
    holds = next.map((h) => ({ ...h, from: h.to }));
  };
  over.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'touch') return;
    const at = place(event);
    if (holds.length < 2) regrip([...holds, { id: event.pointerId, from: at, to: at }]);
    const twice = event.timeStamp - tapped.at < TAP_MAX_MS && Math.abs(event.clientX - tapped.x) < TAP_MAX_PX;
    tapped = { at: event.timeStamp, x: event.clientX };
    if (twice && holds.length === 1) reset();
  });
  over.addEventListener('pointermove', (event) => {
    const hold = holds.find((h) => h.id === event.pointerId);
    if (!hold) return;
    // Who drags does not tap, however soon the next drag begins.
    if (Math.abs(event.clientX - tapped.x) > TAP_MAX_PX) tapped.at = -Infinity;
    hold.to = place(event);
    range.value = held(start, holds, serverNow());
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    over.addEventListener(end, (event) => {
      if (holds.some((h) => h.id === event.pointerId)) regrip(holds.filter((h) => h.id !== event.pointerId));
    });
  }
}

/** The same by keys, on an element that has the focus itself. */
export const rangeKeys = (range: Signal<Range>) => (event: KeyboardEvent): void => {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const r = range.peek();
  const next = {
    ArrowLeft: () => pan(r, -1, serverNow()),
    ArrowRight: () => pan(r, 1, serverNow()),
    '+': () => zoomAt(r, 0.5, 0.5, serverNow()),
    '=': () => zoomAt(r, 0.5, 0.5, serverNow()),
    '-': () => zoomAt(r, 2, r.to === null ? 1 : 0.5, serverNow()),
    '0': () => ({ span: r.span, to: null }),
  }[event.key];
  if (!next) return;
  event.preventDefault();
  range.value = next();
};

const rangeText = (query: URLSearchParams): string => `${query.get('span') ?? ''} ${query.get('to') ?? ''}`;

/** Keeps the range in the address, and takes what another hand writes there, while the screen that it belongs to is shown. */
export function useRangeInAddress(range: Signal<Range>): void {
  useEffect(() => {
    const { screen, name, query } = route.peek();
    let timer: ReturnType<typeof setTimeout>;
    // Between a key and its address the address has what was before: that is no news.
    let known = rangeText(query);
    const isHere = () => route.peek().screen === screen && route.peek().name === name;
    const put = () => {
      if (!isHere()) return;
      const next = rangeQuery(range.peek());
      known = `${next.span ?? ''} ${next.to ?? ''}`;
      if (known !== rangeText(route.peek().query)) setQuery(next);
    };
    const stops = [
      effect(() => {
        const text = rangeText(route.value.query);
        if (text === known || !isHere()) return;
        known = text;
        range.value = rangeOf(route.peek().query);
      }),
      effect(() => {
        void range.value;
        clearTimeout(timer);
        timer = setTimeout(put, ADDRESS_AFTER_MS);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      clearTimeout(timer);
    };
  }, []);
}
