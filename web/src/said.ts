// What the server says in English, in the reader's language: by the codes that come with its texts. What a code does
// not tell (the system's word, a compiler's message) stands behind it as it came.

import { Problem, type Action, type Alert, type Says } from './api';
import { language, t } from './i18n';

/** Those types of problems that need nothing of the server's own sentence. */
const WHOLE = ['owned', 'under-way', 'busy', 'changed', 'not-shown', 'absent'];

const behind = (text: string, detail: string | null | undefined): string => (detail ? t.said.because(text, detail) : text);

/** What went wrong with something that was asked for. */
export function sayError(error: unknown): string {
  if (!(error instanceof Problem)) return error instanceof TypeError ? t.said.unreachable : error instanceof Error ? error.message : String(error);
  const type = error.type.replace('/problems/', '');
  const text = t.said.problems[type]?.(error.subject);
  // The server's own sentence says it all, in English.
  if (language.value === 'en' || text === undefined) return error.message;
  return WHOLE.includes(type) ? text : behind(text, error.message);
}

function reasonText(code: string | null | undefined, attempts: number, confirms: string | null): string | null {
  return code ? (t.said.reasons[code]?.(attempts, confirms ?? '') ?? null) : null;
}

/** Why an action came to nothing. */
export function sayWhy(action: Pick<Action, 'why' | 'reason' | 'detail' | 'attempts' | 'confirms'>): string | null {
  const text = language.value === 'en' ? null : reasonText(action.reason, action.attempts, action.confirms);
  return text ? behind(text, action.detail) : action.why;
}

function sayAlert(says: Says): string | null {
  const text = t.said.alerts[says.code]?.(says.device ?? says.program ?? says.rule ?? '', says.action ?? '');
  if (text === undefined) return null;
  const reason = reasonText(says.reason, says.attempts ?? 0, says.confirms ?? '');
  const whole = says.left ? t.said.left(text, says.left) : text;
  return behind(reason ? t.said.because(whole, reason) : whole, says.detail);
}

/** The text of an alert: a site's author's own stays as it is. */
export const alertText = (alert: Pick<Alert, 'text' | 'says'>): string => (alert.says && language.value !== 'en' ? sayAlert(alert.says) : null) ?? alert.text;
