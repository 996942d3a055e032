// The history explorer: any series over any time, side by side, and to take away.

import { effect, useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { exportUrl, type Site } from '../api';
import { EMPTY, summary, valueAt, type Columns } from '../chartdata';
import { exploredOf, exploredQuery, GRAINS, lanesOf, SERIES_MAX, type Explored } from '../explorer';
import { moment, shown, withUnit } from '../format';
import { t } from '../i18n';
import { load, type Grain, type History } from '../load';
import { DataTable } from '../parts/datatable';
import { rangeKeys, useRangeInAddress } from '../parts/gestures';
import { Icon } from '../parts/icons';
import { LaneChart } from '../parts/lane';
import { SeriesPicker } from '../parts/picker';
import { RangeBar } from '../parts/rangebar';
import { Value } from '../parts/value';
import { rangeOf, rangeQuery, spanText, type Range } from '../range';
import { route, setQuery, toHistory, toProperty } from '../router';
import { sayError } from '../said';
import { now, seriesNamed, serverNow, type Series } from '../store';

const RELOAD_MIN_MS = 2000;
const MOVING_MS = 150;
const SUGGESTED = 6;

export function HistoryScreen({ site }: { site: Site }) {
  const { query } = route.value;
  const range = useSignal<Range>(rangeOf(query));
  useRangeInAddress(range);
  const explored = exploredOf(query);
  const names = site.devices.flatMap((d) => d.properties.filter((p) => p.type !== 'str').map((p) => `${d.name}.${p.name}`));
  const chosen = explored.names.map((n) => seriesNamed(n)).filter((s) => s !== undefined);
  const missing = explored.names.filter((n) => !seriesNamed(n));
  const change = (next: Partial<Explored>) => setQuery({ ...exploredQuery(next), ...rangeQuery(range.peek()) });
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.history}</h1>
      <section class="panel explorer" aria-label={t.nav.history}>
        <div class="tools">
          <SeriesPicker names={names} chosen={explored.names} onAdd={(n) => explored.names.length < SERIES_MAX && change({ names: [...explored.names, n] })} />
          <RangeBar range={range} exact />
          <Choices explored={explored} change={change} />
        </div>
        {explored.names.length >= SERIES_MAX && <p class="faint">{t.history.full(SERIES_MAX)}</p>}
        {missing.map((n) => <p class="refusal" key={n}>{t.history.missing(n)} <button type="button" class="link" onClick={() => change({ names: explored.names.filter((x) => x !== n) })}>{t.history.remove(n)}</button></p>)}
        {chosen.length === 0 ? <Nothing names={names} /> : <Explorer chosen={chosen} explored={explored} range={range} change={change} />}
      </section>
    </>
  );
}

function Choices({ explored, change }: { explored: Explored; change: (next: Partial<Explored>) => void }) {
  return (
    <div class="choices">
      <label class="inline">
        {t.history.window}
        <select value={String(explored.grain)} onChange={(e) => change({ grain: e.currentTarget.value === 'auto' ? 'auto' : Number(e.currentTarget.value) })}>
          {GRAINS.map((g) => <option key={g} value={String(g)}>{t.history.windows[String(g)]}</option>)}
        </select>
      </label>
      <label class="inline"><input type="checkbox" checked={explored.band} onChange={(e) => change({ band: e.currentTarget.checked })} /> {t.history.band}</label>
    </div>
  );
}

function Nothing({ names }: { names: string[] }) {
  return (
    <div class="nothing">
      <p class="empty">{t.history.none}</p>
      {names.length > 0 && <p class="faint">{t.history.suggest}</p>}
      <ul class="chips" data-arrows="x">{names.slice(0, SUGGESTED).map((n) => <li key={n}><a class="chip" href={toHistory([n])} translate={false}>{n}</a></li>)}</ul>
    </div>
  );
}

interface Shown {
  chosen: Series[];
  explored: Explored;
  range: Signal<Range>;
  change: (next: Partial<Explored>) => void;
}

/** Reads what is shown, and again while it follows the present. */
function useHistories(chosen: Series[], grain: Grain, range: Signal<Range>, width: () => number) {
  const histories = useSignal(new Map<string, History>());
  const problem = useSignal<string | null>(null);
  const key = `${chosen.map((s) => s.name).join(' ')} ${grain}`;
  useEffect(() => {
    let generation = 0;
    let timer = 0;
    const read = async () => {
      clearTimeout(timer);
      const mine = ++generation;
      const { span, to } = range.peek();
      const end = to ?? Math.ceil(serverNow());
      const points = Math.max(100, Math.min(800, Math.round(width() / 2)));
      try {
        const all = await Promise.all(chosen.map((s) => load(s, Math.floor(end - span), Math.ceil(end), points, grain)));
        if (mine !== generation) return;
        histories.value = new Map(chosen.map((s, i) => [s.name, all[i] as History]));
        problem.value = null;
      } catch (error) {
        if (mine !== generation) return;
        problem.value = sayError(error);
      }
      if (to === null) timer = window.setTimeout(() => void read(), Math.max(RELOAD_MIN_MS, span / points));
    };
    let asked_ms = -Infinity;
    const stop = effect(() => {
      void range.value;
      // What moves under a finger is asked for when it rests; meanwhile what is there moves along.
      generation++;
      clearTimeout(timer);
      timer = window.setTimeout(() => void read(), performance.now() - asked_ms < MOVING_MS ? MOVING_MS : 0);
      asked_ms = performance.now();
    });
    return () => {
      generation = -1;
      clearTimeout(timer);
      stop();
    };
  }, [key]);
  return { histories, problem };
}

function Explorer({ chosen, explored, range, change }: Shown) {
  const host = useRef<HTMLDivElement>(null);
  const { histories, problem } = useHistories(chosen, explored.grain, range, () => host.current?.clientWidth ?? 800);
  const columns = useSignal(new Map<string, Columns>());
  const cursor = useSignal<number | null>(null);
  useEffect(() => effect(() => {
    columns.value = new Map([...histories.value].map(([name, h]) => [name, h.columns]));
  }), []);
  const lanes = lanesOf(chosen);
  return (
    <>
      {problem.value && <p class="refusal" role="alert" translate={false}>{problem.value}</p>}
      {[...histories.value.values()].some((h) => h.cut) && <p class="faint" role="status">{t.history.truncated}</p>}
      <div class="lanes" ref={host} tabIndex={0} role="group" aria-label={t.history.chart(chosen.map((s) => s.name).join(', '), spanText(range.value))} onKeyDown={rangeKeys(range)}>
        {lanes.map((lane) => (
          <figure class="lane" key={lane.unit}>
            <figcaption class="faint">{lane.unit === 'bool' ? `${t.yes} / ${t.no}` : lane.unit === '' ? t.history.noUnit : <span translate={false}>{lane.unit}</span>}</figcaption>
            <LaneChart lane={lane} alone={lanes.length === 1} range={range} band={explored.band} columns={columns} cursor={cursor} />
          </figure>
        ))}
      </div>
      <p class="faint chart-help"><span class="by-mouse">{t.history.help}</span><span class="by-touch">{t.history.helpTouch}</span></p>
      <Legend chosen={chosen} explored={explored} range={range} columns={columns} cursor={cursor} change={change} />
      <Export chosen={chosen} explored={explored} range={range} histories={histories} />
      {chosen.map((s) => <Table key={s.name} series={s} columns={columns} />)}
    </>
  );
}

const textOf = (series: Series) => (v: number): string => {
  const p = series.property;
  if (p.type === 'bool' && Number.isInteger(v)) return shown(v === 1, null);
  return withUnit(v, { ...p, type: 'float' });
};

function Legend({ chosen, explored, range, columns, cursor, change }: Shown & { columns: Signal<Map<string, Columns>>; cursor: Signal<number | null> }) {
  const { span, to } = range.value;
  const end = (to ?? now.value) / 1000;
  const at = cursor.value;
  return (
    <table class="legend stack">
      <thead>
        <tr>
          <th scope="col">{t.history.series}</th>
          <th scope="col" class="end">{t.history.last}</th>
          {[t.chart.min, t.chart.mean, t.chart.max].map((h) => <th scope="col" class="end" key={h}>{h}</th>)}
          <th scope="col" class="end">{at === null ? t.history.cursor : moment(at * 1000, now.peek())}</th>
          <th scope="col"><span class="unseen">{t.history.remove('')}</span></th>
        </tr>
      </thead>
      <tbody>
        {chosen.map((s, i) => {
          const c = columns.value.get(s.name) ?? EMPTY;
          const sum = summary(c, end - span / 1000, end);
          const here = at === null ? null : valueAt(c, at);
          const text = textOf(s);
          const cell = (label: string, v: number | null | undefined) => <td class="end" data-label={label}>{v === null || v === undefined ? t.none : text(v)}</td>;
          return (
            <tr key={s.name} data-legend={s.name}>
              <th scope="row"><i class={`swatch s${i + 1}`} aria-hidden="true" /> <a href={toProperty(s.device, s.property.name)} translate={false}>{s.name}</a></th>
              <td class="end" data-label={t.history.last}><Value series={s} /></td>
              {cell(t.chart.min, sum?.min)}
              {cell(t.chart.mean, sum?.mean)}
              {cell(t.chart.max, sum?.max)}
              {cell(t.history.cursor, here)}
              <td class="end"><button type="button" class="plain" aria-label={t.history.remove(s.name)} title={t.history.remove(s.name)} onClick={() => change({ names: explored.names.filter((n) => n !== s.name) })}><Icon name="cross" /></button></td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Export({ chosen, explored, range, histories }: { chosen: Series[]; explored: Explored; range: Signal<Range>; histories: Signal<Map<string, History>> }) {
  const { span, to } = range.value;
  const end = to ?? serverNow();
  // What is exported is what is shown: samples, or windows as wide as the widest.
  const window = explored.grain === 'auto' ? Math.max(0, ...[...histories.value.values()].map((h) => h.window)) : explored.grain;
  const names = chosen.map((s) => s.name);
  return (
    <p class="export">
      <span class="faint">{t.history.export}</span>
      {(['csv', 'jsonl'] as const).map((format) => (
        <a key={format} class="button" download href={exportUrl(names, end - span, end, window, format)} aria-label={t.history.exportLabel(t.history[format])}>
          <Icon name="download" /> {t.history[format]}
        </a>
      ))}
    </p>
  );
}

function Table({ series, columns }: { series: Series; columns: Signal<Map<string, Columns>> }) {
  const own = useSignal<Columns>(EMPTY);
  useEffect(() => effect(() => {
    own.value = columns.value.get(series.name) ?? EMPTY;
  }), [series]);
  return <DataTable name={series.name} named columns={own} text={textOf(series)} />;
}
