// What the feed does not bring is asked for while a screen shows it.

import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { sayError } from '../said';

export interface Polled<T> {
  value: T | null;
  /** Why the last question had no answer; the value is then of before. */
  why: string | null;
}

/** Asks at once, then every `every_ms` (0: only once) while the page can be seen, and when `again` changes. */
export function usePolled<T>(read: () => Promise<T>, every_ms: number, again: unknown = null): Signal<Polled<T>> {
  const polled = useSignal<Polled<T>>({ value: null, why: null });
  useEffect(() => {
    let ended = false;
    let timer = 0;
    const ask = async () => {
      // What is asked only once is asked even while nobody looks.
      if (every_ms === 0 || !document.hidden) {
        try {
          const value = await read();
          if (!ended) polled.value = { value, why: null };
        } catch (error) {
          if (!ended) polled.value = { value: polled.peek().value, why: sayError(error) };
        }
      }
      if (!ended && every_ms > 0) timer = window.setTimeout(() => void ask(), every_ms);
    };
    void ask();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [again, every_ms]);
  return polled;
}
