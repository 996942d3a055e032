// Things that move at the pace of a live value.
//
// The Web Animations API changes the pace without a jump, costs no script for
// a frame, and needs no inline style.  Who asked for less motion gets none.

import { useEffect, useRef } from 'preact/hooks';

const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const PACE = 40;

/** Moves an element over `frames` for ever; `length` is their way in pixels, `pace` pixels a second. */
export function useMotion<T extends Element>(frames: Keyframe[], length: number, pace: number) {
  const ref = useRef<T>(null);
  const animation = useRef<Animation | null>(null);

  useEffect(() => {
    const element = ref.current;
    if (!element || still.matches) return undefined;
    const made = element.animate(frames, { duration: (length / PACE) * 1000, iterations: Infinity });
    made.pause();
    animation.current = made;
    return () => {
      made.cancel();
      animation.current = null;
    };
    // The frames are a function of length in all uses.
  }, [length]);

  useEffect(() => {
    const made = animation.current;
    if (!made) return;
    const rate = Math.abs(pace) / PACE;
    if (rate < 0.01) {
      made.pause();
      return;
    }
    made.updatePlaybackRate(rate);
    if (made.playState !== 'running') made.play();
  }, [pace, length]);

  return ref;
}
