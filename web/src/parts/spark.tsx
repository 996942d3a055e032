// A small chart of the last minutes, without axes: one canvas, drawn at most
// four times a second and only while it can be seen.

import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Property } from '../api';
import { gapOf, ringPoints } from '../chartdata';
import { fill } from '../live';
import { leastSpread } from '../meaning';
import { now, serverNow, type Series } from '../store';
import { colour, painted } from '../theme';

const SPAN_MS = 5 * 60_000;
const DRAW_MIN_MS = 250;

function bounds(points: [number, number][], p: Property): [number, number] {
  if (p.type === 'bool') return [-0.15, 1.15];
  let low = Infinity;
  let high = -Infinity;
  for (const [, v] of points) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (low > high) return [0, 1];
  const least = leastSpread(p, high);
  const pad = Math.max(least, high - low) * 0.12;
  const mid = (low + high) / 2;
  const half = Math.max(least, high - low) / 2 + pad;
  return [mid - half, mid + half];
}

function draw(canvas: HTMLCanvasElement, series: Series): void {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (width === 0) return;
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const g = canvas.getContext('2d');
  if (!g) return;
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  const to = serverNow();
  const from = to - SPAN_MS;
  const points = [...ringPoints(series.ring, from)];
  const { property } = series;
  const step = property.type !== 'float';
  const gap = gapOf(property, points.map(([t]) => t));
  const [low, high] = bounds(points, property);
  const px = (t: number) => ((t - from) / SPAN_MS) * (width - 4);
  const py = (v: number) => height - 2 - ((v - low) / (high - low)) * (height - 4);

  const quality = series.reading.peek().quality;
  const ink = quality === 'good' ? colour('chart') : colour('muted');
  g.lineWidth = 1.5;
  g.lineJoin = 'round';
  const line = new Path2D();
  const area = new Path2D();
  let open = false;
  let lastT = 0;
  let lastY = 0;
  const close = () => {
    if (!open) return;
    area.lineTo(px(lastT), height);
    area.closePath();
    open = false;
  };
  for (const [t, v] of points) {
    if (Number.isNaN(v) || (open && t - lastT > gap)) close();
    if (Number.isNaN(v)) continue;
    const y = py(v);
    if (!open) {
      line.moveTo(px(t), y);
      area.moveTo(px(t), height);
      area.lineTo(px(t), y);
      open = true;
    } else {
      if (step) {
        line.lineTo(px(t), lastY);
        area.lineTo(px(t), lastY);
      }
      line.lineTo(px(t), y);
      area.lineTo(px(t), y);
    }
    lastT = t;
    lastY = y;
  }
  const alive = open;
  close();
  g.globalAlpha = 0.1;
  g.fillStyle = ink;
  g.fill(area);
  g.globalAlpha = 1;
  g.strokeStyle = ink;
  g.stroke(line);
  if (alive && quality === 'good') {
    g.beginPath();
    g.arc(px(lastT), lastY, 2.5, 0, 7);
    g.fill();
  }
}

export function Spark({ series }: { series: Series }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return undefined;
    let visible = false;
    let last = 0;
    let timer = 0;
    const paint = () => {
      timer = 0;
      last = performance.now();
      if (visible) draw(canvas, series);
    };
    const request = () => {
      if (timer === 0) timer = window.setTimeout(paint, Math.max(0, last + DRAW_MIN_MS - performance.now()));
    };
    const observer = new IntersectionObserver((entries) => {
      visible = entries.some((e) => e.isIntersecting);
      if (visible) {
        fill(series, true);
        request();
      }
    });
    observer.observe(canvas);
    const stop = effect(() => {
      // Listed so that each of them brings a new drawing.
      void [series.version.value, now.value, painted.value, series.reading.value];
      if (!visible) return;
      fill(series);
      request();
    });
    return () => {
      stop();
      observer.disconnect();
      clearTimeout(timer);
    };
  }, [series]);
  return <canvas class="spark" ref={ref} aria-hidden="true" />;
}
