// One lane of the history explorer: series of the same unit on one scale.

import { effect, untracked, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { EMPTY, type Columns } from '../chartdata';
import { language } from '../i18n';
import type { Lane } from '../explorer';
import { leastSpread } from '../meaning';
import { zoomAt, type Range } from '../range';
import { serverNow, type Series } from '../store';
import { colour, painted } from '../theme';
import { followFingers } from './gestures';
import { axesOf, BOOL_SCALE, onSelect, spread } from './plotting';

const HEIGHT_BOOL = 96;
const HEIGHT_ONE = 300;
const HEIGHT = 210;
const WHEEL = 1.25;

export interface LaneProps {
  lane: Lane;
  /** Whether it is the only one, and may be taller. */
  alone: boolean;
  range: Signal<Range>;
  band: boolean;
  columns: Signal<Map<string, Columns>>;
  cursor: Signal<number | null>;
}

/** Columns of several series with one common x, as uPlot wants them: three for each (mean, low, high). */
function joined(lane: Lane, columns: Map<string, Columns>, band: boolean): uPlot.AlignedData {
  const tables = lane.series.map(({ series }) => {
    const c = columns.get(series.name) ?? EMPTY;
    const none = c.x.map(() => null);
    const flat = !band || c.low.length === 0;
    return [c.x, c.mean, flat ? none : c.low, flat ? none : c.high] as uPlot.AlignedData;
  });
  return uPlot.join(tables);
}

function seriesOptions(series: Series, number: number): uPlot.Series[] {
  const stepped = series.property.type !== 'float' ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  const unseen = { stroke: 'transparent', width: 0, points: { show: false } };
  return [{ stroke: colour(`s${number + 1}`), width: 1.75, spanGaps: false, points: { show: false }, ...(stepped ? { paths: stepped } : {}) }, unseen, unseen];
}

/** Where the cursor is, in seconds; a chart that was just made has no scale yet. */
function momentAt(u: uPlot): number | null {
  const left = u.cursor.left ?? -1;
  const at = left >= 0 ? u.posToVal(left, 'x') : NaN;
  return Number.isFinite(at) ? at : null;
}

function options(props: LaneProps, width: number): uPlot.Options {
  const { lane, alone, range, cursor } = props;
  const bool = lane.unit === 'bool';
  return {
    width,
    height: bool ? HEIGHT_BOOL : alone ? HEIGHT_ONE : HEIGHT,
    padding: [10, 22, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'history' }, y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 }, bind: { dblclick: () => () => ((range.value = { span: range.peek().span, to: null }), null) } },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_u, low, high) => (bool ? BOOL_SCALE : spread(low, high, Math.max(0.01, ...lane.series.map((s) => leastSpread({ ...s.series.property, min: null }, high ?? 0))))) },
    },
    axes: axesOf(bool),
    series: [{}, ...lane.series.flatMap((s) => seriesOptions(s.series, s.colour))],
    bands: lane.series.map((s, i) => ({ series: [3 * i + 3, 3 * i + 2] as [number, number], fill: `color-mix(in srgb, ${colour(`s${s.colour + 1}`)} 20%, transparent)` })),
    hooks: {
      setSelect: [onSelect((from, to) => (range.value = { span: Math.max(5000, to - from), to: Math.round(to) }))],
      setCursor: [(u) => (cursor.value = momentAt(u))],
    },
  };
}

function wheel(event: WheelEvent, range: Signal<Range>, over: HTMLElement): void {
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (!event.ctrlKey && !sideways) return;
  event.preventDefault();
  const r = range.peek();
  const box = over.getBoundingClientRect();
  const place = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  if (!sideways) range.value = zoomAt(r, event.deltaY > 0 ? WHEEL : 1 / WHEEL, place, serverNow());
  else {
    const to = (r.to ?? serverNow()) + ((event.deltaX || event.deltaY) / box.width) * r.span;
    range.value = { span: r.span, to: to >= serverNow() - 1000 ? null : Math.round(to) };
  }
}

export function LaneChart(props: LaneProps) {
  const { lane, alone, range, band, columns } = props;
  const host = useRef<HTMLDivElement>(null);
  const shape = `${lane.series.map((s) => `${s.series.name} ${s.colour}`).join(' ')} ${alone} ${band}`;
  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    let plot: uPlot | null = null;
    const width = () => Math.max(200, element.clientWidth);
    const draw = () => {
      const { span, to } = range.value;
      const end = to ?? serverNow();
      plot?.setData(joined(lane, columns.value, band), false);
      plot?.setScale('x', { min: (end - span) / 1000, max: end / 1000 });
    };
    const stops = [
      effect(() => {
        void [painted.value, language.value];
        plot?.destroy();
        plot = new uPlot(options(props, width()), [[]], element);
        followFingers(plot.over, range, () => (range.value = { span: range.peek().span, to: null }));
        plot.over.addEventListener('wheel', (e) => wheel(e, range, plot?.over ?? element), { passive: false });
        // What is drawn is the next effect's: this one must not follow it, or each new range would make a new chart.
        untracked(draw);
      }),
      effect(draw),
    ];
    const observer = new ResizeObserver(() => plot && plot.width !== width() && plot.setSize({ width: width(), height: plot.height }));
    observer.observe(element);
    return () => {
      for (const stop of stops) stop();
      observer.disconnect();
      plot?.destroy();
    };
  }, [shape]);
  return <div class="plot" ref={host} aria-hidden="true" />;
}
