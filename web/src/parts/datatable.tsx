// What a chart draws, as a table for those who can't see it or want the
// numbers.  It is only made when it is opened.

import { useSignal, type ReadonlySignal } from '@preact/signals';
import type { Columns } from '../chartdata';
import { moment } from '../format';
import { t } from '../i18n';

const ROWS_MAX = 120;

interface Props {
  /** The name of what is shown. */
  name: string;
  /** One of several tables, one below the other: the name stands beside each. */
  named?: boolean;
  columns: ReadonlySignal<Columns>;
  text: (value: number) => string;
}

export function DataTable({ name, named = false, columns, text }: Props) {
  const open = useSignal(false);
  return (
    <details class="data" onToggle={(e) => (open.value = e.currentTarget.open)}>
      <summary>{t.device.table}<span class={named ? '' : 'unseen'} translate={false}>: {name}</span></summary>
      {open.value && <Rows columns={columns} text={text} name={name} />}
    </details>
  );
}

function Rows({ columns, text, name }: Omit<Props, 'named'>) {
  const { x, mean, low, high } = columns.value;
  const band = low.length > 0;
  const all: number[] = [];
  for (let i = x.length - 1; i >= 0; i--) if (mean[i] !== null && mean[i] !== undefined) all.push(i);
  const shown = all.slice(0, ROWS_MAX);
  if (all.length === 0) return <p class="empty">{t.chart.empty}</p>;
  const cell = (v: number | null | undefined) => <td class="end">{v === null || v === undefined ? t.none : text(v)}</td>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={name}>
      <table>
        <caption class="faint">{t.chart.rows(shown.length, all.length)}</caption>
        <thead>
          <tr>
            <th scope="col">{t.chart.time}</th>
            {band ? [t.chart.min, t.chart.mean, t.chart.max].map((h) => <th scope="col" class="end" key={h}>{h}</th>) : <th scope="col" class="end">{t.chart.value}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((i) => (
            <tr key={x[i]}>
              <th scope="row">{moment((x[i] ?? 0) * 1000, Date.now())}</th>
              {band && cell(low[i])}
              {cell(mean[i])}
              {band && cell(high[i])}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
