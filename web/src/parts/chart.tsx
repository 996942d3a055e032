// The chart of one property: live from the ring, or any range from history.
//
// Short ranges are drawn from samples, long ones from windows: a band from
// lowest to highest and the mean as a line, so that a spike of a second still
// shows in a week.

import { effect, signal, useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Property } from '../api';
import { EMPTY, ringColumns, summary, type Columns, type Summary } from '../chartdata';
import { digitsOf, fixed, moment, shown, withUnit } from '../format';
import { language, t } from '../i18n';
import { fill } from '../live';
import { load } from '../load';
import { leastSpread } from '../meaning';
import { isLive, PRESENT, spanText, type Range } from '../range';
import { sayError } from '../said';
import { now, serverNow, type Series } from '../store';
import { colour, painted } from '../theme';
import { DataTable } from './datatable';
import { followFingers } from './gestures';
import { axesOf, BOOL_SCALE, onSelect, spread } from './plotting';

const HEIGHT = 168;
/** A yes or no needs no height. */
const HEIGHT_BOOL = 84;
const DRAW_MIN_MS = 250;
const TABLE_MIN_MS = 5000;
const RELOAD_MIN_MS = 2000;
const MOVING_MS = 150;

interface Loaded {
  columns: Columns;
  state: 'loading' | 'ready' | 'failed';
  why: string;
}

function yRange(p: Property, low: number | null, high: number | null): [number, number] {
  return p.type === 'bool' ? BOOL_SCALE : spread(low, high, leastSpread(p, high ?? 0));
}

const heightOf = (series: Series): number => (series.property.type === 'bool' ? HEIGHT_BOOL : HEIGHT);

interface Handlers {
  onZoom: (from: number, to: number) => void;
  onPoint: (index: number | null) => void;
  onReset: () => void;
}

function optionsFor(series: Series, width: number, on: Handlers): uPlot.Options {
  const p = series.property;
  const bool = p.type === 'bool';
  const stepped = p.type !== 'float' ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  const paths = stepped ? { paths: stepped } : {};
  return {
    width,
    height: heightOf(series),
    padding: [10, 22, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'device' }, y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 }, bind: { dblclick: () => () => (on.onReset(), null) } },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_u, low, high) => yRange(p, low, high) },
    },
    axes: axesOf(bool),
    series: [
      {},
      { stroke: colour('chart'), width: 1.75, spanGaps: false, points: { show: false }, ...paths },
      { stroke: 'transparent', width: 0, points: { show: false } },
      { stroke: 'transparent', width: 0, points: { show: false } },
    ],
    bands: [{ series: [3, 2], fill: colour('band') }],
    hooks: {
      setSelect: [onSelect(on.onZoom)],
      setCursor: [(u) => on.onPoint(u.cursor.idx ?? null)],
    },
  };
}

function dataOf(c: Columns): uPlot.AlignedData {
  const none = c.low.length === 0;
  const nulls = none ? c.x.map(() => null) : [];
  return [c.x, c.mean, none ? nulls : c.low, none ? nulls : c.high] as uPlot.AlignedData;
}

/** Owns the uPlot object of one chart and what it shows. */
class Plot {
  readonly loaded: Signal<Loaded> = signal({ columns: EMPTY, state: 'loading', why: '' });
  readonly shown: Signal<Summary | null> = signal(null);
  readonly cursor: Signal<{ at: number; value: number } | null> = signal(null);
  /** What is drawn, for those who read it as a table: not as often as it is drawn. */
  readonly table: Signal<Columns> = signal(EMPTY);
  private tabled = -Infinity;
  private plot: uPlot | null = null;
  private timer = 0;
  private reload = 0;
  private last = 0;
  private asked = -Infinity;
  private generation = 0;

  constructor(
    private readonly host: HTMLElement,
    private readonly series: Series,
    private readonly range: Signal<Range>,
  ) {}

  build(): void {
    this.plot?.destroy();
    const width = Math.max(200, this.host.clientWidth);
    const options = optionsFor(this.series, width, {
      onZoom: (from, to) => (this.range.value = { span: Math.max(5000, to - from), to: Math.round(to) }),
      onPoint: (index) => this.point(index),
      onReset: () => (this.range.value = PRESENT),
    });
    this.plot = new uPlot(options, dataOf(EMPTY), this.host);
    followFingers(this.plot.over, this.range, () => (this.range.value = PRESENT));
    this.draw();
  }

  resize(): void {
    const width = Math.max(200, this.host.clientWidth);
    if (this.plot && this.plot.width !== width) this.plot.setSize({ width, height: heightOf(this.series) });
  }

  private point(index: number | null): void {
    const at = index === null ? undefined : this.plot?.data[0]?.[index];
    const value = index === null ? undefined : this.plot?.data[1]?.[index];
    this.cursor.value = at !== undefined && value !== undefined && value !== null ? { at: at * 1000, value } : null;
  }

  /** Draws soon, but not more often than a reader can see. */
  request(): void {
    if (this.timer !== 0) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.draw();
    }, Math.max(0, this.last + DRAW_MIN_MS - performance.now()));
  }

  private draw(): void {
    this.last = performance.now();
    const { span, to } = this.range.peek();
    const end = to ?? serverNow();
    const live = isLive(this.range.peek());
    const loaded = this.loaded.peek();
    // What is asked for is not here yet: the feed's samples may tell a part of it.
    const columns = live || loaded.state === 'loading' ? ringColumns(this.series.ring, this.series.property, end - span) : loaded.columns;
    this.plot?.setData(dataOf(columns), false);
    this.plot?.setScale('x', { min: (end - span) / 1000, max: end / 1000 });
    this.shown.value = summary(columns, (end - span) / 1000, end / 1000);
    if (live && this.last - this.tabled < TABLE_MIN_MS) return;
    this.tabled = this.last;
    this.table.value = columns;
  }

  /** Called for each new range. What moves under a finger is asked for when it rests; meanwhile what is there moves along. */
  show(): void {
    const mine = ++this.generation;
    clearTimeout(this.reload);
    this.request();
    if (isLive(this.range.peek())) {
      fill(this.series, true);
      this.loaded.value = { columns: EMPTY, state: 'ready', why: '' };
      return;
    }
    if (this.loaded.peek().columns.x.length === 0) this.loaded.value = { columns: EMPTY, state: 'loading', why: '' };
    const moving = performance.now() - this.asked < MOVING_MS;
    this.asked = performance.now();
    this.reload = window.setTimeout(() => void this.read(mine), moving ? MOVING_MS : 0);
  }

  /** Reads what the range needs, and again while it follows the present. */
  private async read(mine: number): Promise<void> {
    const { span, to } = this.range.peek();
    const end = to ?? Math.ceil(serverNow());
    const points = Math.max(100, Math.min(600, Math.round(this.host.clientWidth / 2)));
    try {
      const { columns } = await load(this.series, Math.floor(end - span), Math.ceil(end), points);
      if (mine !== this.generation) return;
      this.loaded.value = { columns, state: 'ready', why: '' };
    } catch (error) {
      if (mine !== this.generation) return;
      this.loaded.value = { columns: EMPTY, state: 'failed', why: sayError(error) };
    }
    this.request();
    if (to === null) this.reload = window.setTimeout(() => void this.read(mine), Math.max(RELOAD_MIN_MS, span / points));
  }

  free(): void {
    this.generation++;
    clearTimeout(this.timer);
    clearTimeout(this.reload);
    this.plot?.destroy();
  }
}

export function Chart({ series, range }: { series: Series; range: Signal<Range> }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useSignal<Plot | null>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const made = new Plot(element, series, range);
    plot.value = made;
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(element);
    const stops = [
      effect(() => {
        void [painted.value, language.value];
        made.build();
      }),
      effect(() => {
        void range.value;
        made.show();
      }),
      effect(() => {
        void [series.version.value, now.value];
        if (isLive(range.value)) fill(series);
        if (range.value.to === null) made.request();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      observer.disconnect();
      made.free();
      plot.value = null;
    };
  }, [series, range]);
  return (
    <figure class="chart" aria-label={t.chart.label(series.property.name, spanText(range.value))}>
      <div class="plot" ref={host} aria-hidden="true" />
      {plot.value && <Readout plot={plot.value} series={series} />}
      {plot.value && <DataTable name={series.property.name} columns={plot.value.table} text={(v) => (series.property.type === 'bool' ? shown(v > 0, null) : withUnit(v, series.property))} />}
    </figure>
  );
}

function Readout({ plot, series }: { plot: Plot; series: Series }) {
  const { state, why, columns } = plot.loaded.value;
  const p = series.property;
  const number = (v: number) => withUnit(v, { ...p, type: p.type === 'int' ? 'float' : p.type });
  if (state === 'failed') return <figcaption class="failed">{t.chart.failed(why)}</figcaption>;
  if (state === 'loading') return <figcaption>{t.chart.loading}</figcaption>;
  const cursor = plot.cursor.value;
  const shown = plot.shown.value;
  if (cursor) {
    return (
      <figcaption>
        <span>{moment(cursor.at, now.peek())}</span>
        <b>{p.type === 'bool' && Number.isInteger(cursor.value) ? (cursor.value ? t.yes : t.no) : number(cursor.value)}</b>
      </figcaption>
    );
  }
  if (!shown) return <figcaption>{t.chart.empty}</figcaption>;
  if (p.type === 'bool') return <figcaption>{' '}</figcaption>;
  const digits = digitsOf(shown.max, p);
  const text = (v: number) => fixed(v, digits);
  return (
    <figcaption title={columns.low.length > 0 ? t.chart.band : undefined}>
      <span>{t.chart.min} <b>{text(shown.min)}</b></span>
      <span>{t.chart.mean} <b>{text(shown.mean)}</b></span>
      <span>{t.chart.max} <b>{text(shown.max)}</b></span>
      {p.unit && <span>{p.unit}</span>}
    </figcaption>
  );
}
