// What a property's name says about how to draw it.  A guess by convention;
// a wrong guess costs a colour, never a value.

import type { Property } from './api';

const TROUBLE = /^(jam|fault|alarm|error|trip|leak|smoke|overheat|blocked|broken|low_?battery|tamper|flood)/;

/** Whether a bool is bad news when it is true. */
export const isTrouble = (p: Property): boolean => TROUBLE.test(p.name);

export const isFlow = (p: Property): boolean => p.name === 'position' || p.name === 'opening';

/** How full a bar is, 0 to 1; null without a range or a value. */
export function share(p: Property, value: unknown): number | null {
  if (typeof value !== 'number' || p.min === null || p.max === null || p.max <= p.min) return null;
  return Math.max(0, Math.min(1, (value - p.min) / (p.max - p.min)));
}

/** The least difference that a chart spreads over its height: a flat line is
 * drawn flat, not its last digit blown up. */
export function leastSpread(p: Property, high: number): number {
  const range = p.min !== null && p.max !== null ? (p.max - p.min) * 0.02 : 0;
  return Math.max(range, Math.abs(high) * 0.02, 0.01);
}

/** The belt's way in pixels a second.  Metres are drawn to scale; any other
 * unit takes its share of the range. */
export function beltPace(p: Property, value: unknown): number {
  if (typeof value !== 'number') return 0;
  if (p.unit === 'm/s') return Math.max(-240, Math.min(240, value * 110));
  const max = p.max ?? 0;
  return max > 0 ? (value / max) * 160 : Math.max(-160, Math.min(160, value * 40));
}
