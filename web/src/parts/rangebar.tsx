// Choosing a range of time: spans, steps back and forth, and two exact moments.

import { useSignal, type Signal } from '@preact/signals';
import { t } from '../i18n';
import { fromLocal, pan, rangeText, SPANS, toLocal, zoom, type Range } from '../range';
import { now, serverNow } from '../store';
import { Icon } from './icons';

export function RangeBar({ range, exact = false }: { range: Signal<Range>; exact?: boolean }) {
  const { span, to } = range.value;
  return (
    <div class="range" role="group" aria-label={t.range.label}>
      <div class="segments" data-arrows="x">
        {SPANS.map((s) => (
          <button type="button" key={s} aria-pressed={s === span} onClick={() => (range.value = zoom(range.peek(), s, serverNow()))}>
            {t.range.spans[String(s)]}
          </button>
        ))}
      </div>
      <div class="segments" data-arrows="x">
        <button type="button" aria-label={t.range.earlier} title={t.range.earlier} onClick={() => (range.value = pan(range.peek(), -1, serverNow()))}>
          <Icon name="back" />
        </button>
        <button type="button" aria-label={t.range.later} title={t.range.later} disabled={to === null} onClick={() => (range.value = pan(range.peek(), 1, serverNow()))}>
          <Icon name="forward" />
        </button>
        <button type="button" aria-pressed={to === null} onClick={() => (range.value = { span, to: null })}>{t.range.now}</button>
      </div>
      {exact ? <Exact range={range} /> : <RangeText range={range} />}
    </div>
  );
}

function RangeText({ range }: { range: Signal<Range> }) {
  return <span class="faint range-text">{rangeText(range.value, now.value)}</span>;
}

/** From and to, as the reader's clock tells them. */
function Exact({ range }: { range: Signal<Range> }) {
  const wrong = useSignal(false);
  const { span, to } = range.value;
  const end = to ?? serverNow();
  const submit = (event: Event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const next = fromLocal(String(fields.get('from')), String(fields.get('to')), serverNow());
    wrong.value = next === null;
    if (next) range.value = next;
  };
  return (
    <details class="exact" data-over>
      <summary class="range-text"><RangeText range={range} /></summary>
      <form onSubmit={submit} key={`${span} ${to}`}>
        <label>{t.history.from} <input type="datetime-local" name="from" step="1" required defaultValue={toLocal(end - span)} /></label>
        <label>{t.history.to} <input type="datetime-local" name="to" step="1" required defaultValue={toLocal(end)} /></label>
        <button type="submit">{t.history.apply}</button>
        {wrong.value && <p class="refusal" role="alert">{t.history.badRange}</p>}
      </form>
    </details>
  );
}
