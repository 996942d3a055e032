// Keeps the store up to date: the first fetch, the live feed, and the way back
// after the connection was lost.
//
// EventSource reconnects by itself, but without back-off and without telling
// that the site must be read again, so each error ends it and a timer of ours
// starts the next.  Samples wait for the next frame: a screen can't show more.

import { effect } from '@preact/signals';
import * as api from './api';
import { t } from './i18n';
import * as store from './store';

const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 15_000;
const PENDING_MAX = 50_000;
const HIDDEN_FLUSH_MS = 1000;
const FILL_MS = 5 * 60_000;
const FILLS_AT_ONCE = 3;
const QUIET_MAX_MS = 30_000;
const ANSWER_MAX_MS = 10_000;
const SORT_AFTER_MS = 1000;

let source: EventSource | null = null;
let backoff_ms = BACKOFF_MIN_MS;
let pending: store.Sample[] = [];
let scheduled = false;
let ready = false;
let heard_ms = 0;
let retry = 0;

function flush(): void {
  scheduled = false;
  // Before the site is known an index means nothing: the samples wait.
  if (!ready) return;
  const samples = pending;
  pending = [];
  store.applySamples(samples);
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  // A hidden page gets no frames.
  if (document.hidden) setTimeout(flush, HIDDEN_FLUSH_MS);
  else requestAnimationFrame(flush);
}

function enqueue(samples: store.Sample[]): void {
  for (const sample of samples) pending.push(sample);
  if (pending.length > PENDING_MAX) pending = pending.slice(-PENDING_MAX);
  schedule();
}

export async function refreshSite(): Promise<void> {
  store.applySite(await api.getSite());
}

/** After another site was taken: what was adopted is nobody's topic any more. */
export async function refreshTopics(values?: number): Promise<void> {
  const asked_ms = Date.now();
  const { topics, things, dropped } = await api.getDiscovered(values);
  store.replaceTopics(topics, things, asked_ms);
  store.topicsDropped.value = dropped;
}

let sorting = 0;

/** A topic has come that is in no group yet: the server says soon in which, but not for each of many. */
function sortSoon(): void {
  if (sorting !== 0) return;
  sorting = window.setTimeout(() => {
    sorting = 0;
    void refreshTopics().catch(() => undefined);
  }, SORT_AFTER_MS);
}

/** Everything that may have changed while nobody listened. */
async function refreshAll(): Promise<void> {
  const [site, active, latest, actions] = await Promise.all([
    api.getSite(),
    api.getAlerts('active', 500),
    api.getAlerts('all', 200),
    api.getActions(100),
    refreshTopics(),
  ]);
  store.applySite(site);
  store.replaceAlerts([...latest, ...active]);
  store.applyActions(actions);
}

function lose(): void {
  source?.close();
  source = null;
  ready = false;
  pending = [];
  if (store.link.peek().state !== 'lost') store.link.value = { state: 'lost', since_ms: Date.now() };
  const jitter = 0.75 + Math.random() / 2;
  clearTimeout(retry);
  retry = window.setTimeout(connect, backoff_ms * jitter);
  backoff_ms = Math.min(BACKOFF_MAX_MS, backoff_ms * 2);
}

async function opened(feed: EventSource): Promise<void> {
  try {
    await refreshAll();
  } catch {
    if (source === feed) lose();
    return;
  }
  if (source !== feed) return;
  ready = true;
  heard_ms = Date.now();
  backoff_ms = BACKOFF_MIN_MS;
  // History holds what the feed missed meanwhile.
  if (store.link.peek().state === 'lost') store.forgetFills();
  store.link.value = { state: 'live', since_ms: Date.now() };
  schedule();
}

function on<T>(feed: EventSource, name: string, take: (data: T) => void): void {
  feed.addEventListener(name, (event) => {
    heard_ms = Date.now();
    take(JSON.parse((event as MessageEvent<string>).data) as T);
  });
}

/** The network is back, or somebody looks again: what waits for its time does not wait longer. */
function wake(): void {
  if (document.hidden) return;
  if (source) void listen();
  else connect();
}

function connect(): void {
  clearTimeout(retry);
  const feed = new EventSource(api.LIVE);
  source = feed;
  feed.onopen = () => void opened(feed);
  feed.onerror = () => {
    if (source === feed) lose();
  };
  on<store.Sample[]>(feed, 'samples', enqueue);
  on<api.Alert>(feed, 'alert', (alert) => store.applyAlerts([alert]));
  on<api.Action>(feed, 'action', (action) => store.applyActions([action]));
  on<api.HeardEvent>(feed, 'event', (event) => store.applyEvents([event]));
  on<api.Topic>(feed, 'discovered', (topic) => {
    if (!store.hearTopic(topic)) sortSoon();
  });
  on<Parameters<typeof store.applyLink>[0]>(feed, 'link', store.applyLink);
  on<unknown>(feed, 'tests', () => store.testsChanged.value++);
  on<Parameters<typeof store.applyRule>[0]>(feed, 'rule', store.applyRule);
  on<unknown>(feed, 'site', () => {
    store.siteTaken.value++;
    void Promise.all([refreshSite(), refreshTopics()]).catch(() => undefined);
  });
  on<unknown>(feed, 'lease', () => void refreshSite().catch(() => undefined));
  on<{ count: number }>(feed, 'lost', ({ count }) => {
    store.notice.value = t.lostUpdates(count);
    void refreshAll().catch(() => undefined);
  });
}

/** A connection can die without a word, and the feed's own signs of life are
 * hidden from scripts: after a silence the server is asked something. */
async function listen(): Promise<void> {
  const feed = source;
  if (!feed || !ready || Date.now() - heard_ms < QUIET_MAX_MS) return;
  heard_ms = Date.now();
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('no answer')), ANSWER_MAX_MS));
  try {
    await Promise.race([refreshSite(), late]);
  } catch {
    if (source === feed) lose();
  }
}

let filling = 0;
const waiting: store.Series[] = [];

/** Fills a series' ring with its last minutes, once; few at a time.  What failed is only tried again when asked to. */
export function fill(series: store.Series, again = false): void {
  if (series.filled !== 'no' && !(again && series.filled === 'failed')) return;
  series.filled = 'loading';
  waiting.push(series);
  pump();
}

function pump(): void {
  while (filling < FILLS_AT_ONCE) {
    const series = waiting.shift();
    if (!series) return;
    filling++;
    void fillNow(series).finally(() => {
      filling--;
      pump();
    });
  }
}

async function fillNow(series: store.Series): Promise<void> {
  const to = Math.ceil(store.serverNow());
  const from = to - FILL_MS;
  try {
    const raw = await api.getRaw(series.name, from, to, store.RING_MAX);
    if (!raw.truncated) {
      store.applyHistory(series, raw.points);
    } else {
      const { window, windows } = await api.getWindows(series.name, from, to, 600);
      store.applyHistory(series, windows.map(([t0, , , , mean]) => [t0 + window / 2, mean]));
    }
    series.filled = 'yes';
  } catch {
    // The live samples still come; the next screen that shows it tries again.
    series.filled = 'failed';
  }
}

export function start(): void {
  connect();
  setInterval(store.tick, 1000);
  setInterval(() => void listen(), QUIET_MAX_MS / 3);
  document.addEventListener('visibilitychange', () => {
    if (scheduled) flush();
    wake();
  });
  window.addEventListener('online', wake);
  // A notice is for reading, not for keeping.
  effect(() => {
    if (store.notice.value !== null) setTimeout(() => (store.notice.value = null), 8000);
  });
}
