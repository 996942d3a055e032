// Numbers, times and durations as people read them.

import type { Value, ValueType } from './api';
import { t } from './i18n';

interface Numeric {
  type: ValueType;
  min: number | null;
  max: number | null;
}

/** How many digits after the point say something: a thousandth of the range
 * if there is one (a tenth at least of what is small in a wide one), else three
 * to four significant ones. */
export function digitsOf(value: number, p: Numeric | null): number {
  if (p && p.type === 'int') return 0;
  if (p && p.min !== null && p.max !== null && p.max > p.min) {
    const step = (p.max - p.min) / 1000;
    return Math.max(Math.abs(value) < 100 && value !== 0 ? 1 : 0, Math.min(2, Math.ceil(-Math.log10(step))));
  }
  const size = Math.abs(value);
  if (size >= 1000) return 0;
  if (size >= 100) return 1;
  return size >= 1 || size === 0 ? 2 : 3;
}

const formats = new Map<string, Intl.NumberFormat>();

export function fixed(value: number, digits: number): string {
  const key = `${t.locale} ${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(t.locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    formats.set(key, format);
  }
  return format.format(value);
}

export function shown(value: Value | null, p: Numeric | null): string {
  if (value === null) return t.none;
  if (typeof value === 'boolean') return value ? t.yes : t.no;
  if (typeof value === 'string') return value;
  return fixed(value, digitsOf(value, p));
}

/** A value with its unit, with the space that SI asks for. */
export function withUnit(value: Value | null, p: (Numeric & { unit: string | null }) | null): string {
  const text = shown(value, p);
  return p?.unit && typeof value === 'number' ? `${text}\u202f${p.unit}` : text;
}

/** "0.4 s", "12 s", "3 min 05 s", "2 h 10 min", "3 d 4 h" */
export function duration(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return t.time.seconds(fixed(s, s < 1 ? 2 : 1));
  return longDuration(s);
}

/** As duration(), without fractions: for clocks that tick in the page. */
export function age(ms: number): string {
  return longDuration(Math.max(0, ms) / 1000);
}

const two = (n: number) => String(n).padStart(2, '0');

function longDuration(seconds: number): string {
  const s = Math.floor(seconds);
  if (s < 60) return t.time.seconds(String(s));
  if (s < 3600) return t.time.minutes(String(Math.floor(s / 60)), two(s % 60));
  if (s < 86400) return t.time.hours(String(Math.floor(s / 3600)), two(Math.floor((s % 3600) / 60)));
  return t.time.days(String(Math.floor(s / 86400)), String(Math.floor((s % 86400) / 3600)));
}

export function time(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export function day(ms: number): string {
  return new Intl.DateTimeFormat(t.locale, { day: 'numeric', month: 'short' }).format(ms);
}

/** The time; with its date unless it is of today. */
export function moment(ms: number, now_ms: number): string {
  const sameDay = new Date(ms).toDateString() === new Date(now_ms).toDateString();
  return sameDay ? time(ms) : `${day(ms)} ${time(ms)}`;
}

export function bytes(n: number): string {
  if (n < 1024) return `${n}\u202fB`;
  if (n < 1024 * 1024) return `${fixed(n / 1024, 1)}\u202fKiB`;
  return `${fixed(n / 1024 / 1024, 1)}\u202fMiB`;
}

/** A number as somebody wrote it: no digits added. */
export function plain(value: number): string {
  return new Intl.NumberFormat(t.locale, { maximumFractionDigits: 6 }).format(value);
}

/** Digits that tell the multiples of a step apart. */
export function stepDigits(step: number): number {
  for (let digits = 0; digits < 4; digits++) {
    const scaled = step * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6) return digits;
  }
  return 4;
}

export const whole = (n: number): string => fixed(n, 0);

/** The last part of a dotted name. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
