// The range of time that a device's charts show together, kept in the address.

import type { Route } from './router';
import { age, moment } from './format';
import { t } from './i18n';

export interface Range {
  span: number;
  /** The right edge; null follows the present. */
  to: number | null;
}

export const SPANS = [300_000, 900_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000];
const LIVE_SPAN_MS = 5 * 60_000;
/** Where a device's charts begin, and where a double click leads back to. */
export const PRESENT: Range = { span: LIVE_SPAN_MS, to: null };
const SPAN_MIN_MS = 5000;
const SPAN_MAX_MS = 366 * 86_400_000;

/** The live window: drawn from the feed, not from history. */
export const isLive = (r: Range): boolean => r.to === null && r.span <= LIVE_SPAN_MS;

export function rangeOf(query: Route['query']): Range {
  const span = Number(query.get('span'));
  const to = Number(query.get('to'));
  return {
    span: Number.isFinite(span) && span >= SPAN_MIN_MS && span <= SPAN_MAX_MS ? span : LIVE_SPAN_MS,
    to: Number.isFinite(to) && to > 0 ? to : null,
  };
}

export function rangeQuery(r: Range): Record<string, string | null> {
  return {
    span: r.span === LIVE_SPAN_MS ? null : String(Math.round(r.span)),
    to: r.to === null ? null : String(Math.round(r.to)),
  };
}

/** Half a window earlier (-1) or later (+1); never into the future. */
export function pan(r: Range, direction: -1 | 1, now_ms: number): Range {
  const to = (r.to ?? now_ms) + (direction * r.span) / 2;
  return { span: r.span, to: to >= now_ms - 1000 ? null : Math.round(to) };
}

/** Another span around the same middle, or the present. */
export function zoom(r: Range, span: number, now_ms: number): Range {
  if (r.to === null) return { span, to: null };
  const to = r.to - r.span / 2 + span / 2;
  return { span, to: to >= now_ms - 1000 ? null : Math.round(to) };
}

export function spanText(r: Range): string {
  return t.range.spans[String(r.span)] ?? age(r.span);
}

export function rangeText(r: Range, now_ms: number): string {
  const to = r.to ?? now_ms;
  return `${moment(to - r.span, now_ms)} – ${r.to === null ? t.range.live : moment(to, now_ms)}`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** A moment as the browser's fields of time want it: local, to the second. */
export function toLocal(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** The range between two such moments; null if it is none. */
export function fromLocal(from: string, to: string, now_ms: number): Range | null {
  const begin = new Date(from).getTime();
  const end = new Date(to).getTime();
  const span = end - begin;
  if (!Number.isFinite(span) || span <= 0) return null;
  return { span: Math.max(SPAN_MIN_MS, Math.min(SPAN_MAX_MS, span)), to: end >= now_ms - 1000 ? null : end };
}

/** A finger on a chart: where it took hold of it and where it is now, 0 (left edge) to 1 (right edge). */
export interface Finger {
  from: number;
  to: number;
}

/** What is shown when the moments under one or two fingers follow them. Further ones are not looked at. */
export function held(r: Range, fingers: Finger[], now_ms: number): Range {
  const [one, two] = fingers;
  if (!one) return r;
  const left = (r.to ?? now_ms) - r.span;
  const apart = two ? Math.abs(two.to - one.to) : 1;
  const before = two ? Math.abs(two.from - one.from) : 1;
  // Fingers that all but touch tell no span.
  const wanted = apart > 0.02 && before > 0.02 ? (r.span * before) / apart : r.span;
  const span = Math.round(Math.max(SPAN_MIN_MS, Math.min(SPAN_MAX_MS, wanted)));
  const middle = two ? { from: (one.from + two.from) / 2, to: (one.to + two.to) / 2 } : one;
  const to = left + r.span * middle.from + span * (1 - middle.to);
  return { span, to: to >= now_ms - 1000 ? null : Math.round(to) };
}

/** Wider or narrower around a place in it (0: its left edge, 1: its right). */
export function zoomAt(r: Range, factor: number, place: number, now_ms: number): Range {
  const span = Math.round(Math.max(SPAN_MIN_MS, Math.min(SPAN_MAX_MS, r.span * factor)));
  if (r.to === null && place > 0.9) return { span, to: null };
  const right = r.to ?? now_ms;
  const to = right - r.span + r.span * place + span * (1 - place);
  return { span, to: to >= now_ms - 1000 ? null : Math.round(to) };
}
