// The calls of the HTTP API (docs/http-api.md), nothing else.

import type {
  Action, AdoptAnswer, AdoptRequest, Alert, ChangedFile, Connection, Discovered, HeardEvent, LinkLine, ProblemBody, RawHistory, ReloadReport, Settings, Site, SourceText, Stats, TestRun, Topic, Value,
  WindowHistory,
} from './api-types';

export * from './api-types';

/** A refusal of the server, as RFC 9457 problem details tell it. */
export class Problem extends Error {
  readonly status: number;
  /** Of RFC 9457: what programs look at. */
  readonly type: ProblemBody['type'];
  /** What the compiler says, if it was a site that was refused. */
  readonly report: string | null;
  /** The change of files that was tried. */
  readonly files: ChangedFile[];
  /** Whom or what it is about: an owner, a parameter, a topic; empty if it does not say. */
  readonly subject: string;
  constructor(status: number, detail: string, body: Partial<ProblemBody> = {}) {
    super(detail);
    this.status = status;
    this.type = body.type ?? 'about:blank';
    this.report = body.text ?? (typeof body.reload?.text === 'string' ? body.reload.text : null);
    this.files = body.files ?? [];
    this.subject = body.owner ?? body.parameter ?? body.topic ?? '';
  }
}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, { cache: 'no-store', ...init });
  if (response.status === 204) return undefined as T;
  if (response.ok) return (await response.json()) as T;
  // A proxy may answer with less, or with something else.
  let body: Partial<ProblemBody> = {};
  try {
    body = (await response.json()) as Partial<ProblemBody>;
  } catch {
    // A proxy's page, or no body at all: the status must do.
  }
  const text = body.detail ?? body.title ?? `${response.status} ${response.statusText}`;
  throw new Problem(response.status, text, body);
}

const JSON_BODY = { 'Content-Type': 'application/json' };

function post<T>(path: string, body: unknown): Promise<T> {
  return call<T>(path, {
    method: 'POST',
    headers: JSON_BODY,
    body: JSON.stringify(body),
  });
}

function query(params: Record<string, string | number>): string {
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) q.set(key, String(value));
  return q.toString();
}

export const LIVE = '/api/live';

export const getSite = () => call<Site>('/api/site');
export const getAlerts = (state: 'active' | 'all', limit: number) =>
  call<{ alerts: Alert[] }>(`/api/alerts?${query({ state, limit })}`).then((r) => r.alerts);
export const getActions = (limit: number) =>
  call<{ actions: Action[] }>(`/api/actions?${query({ limit })}`).then((r) => r.actions);
/** When the events of a device came. */
export const getEvents = (device: string) => call<{ events: HeardEvent[] }>(`/api/events?${query({ device })}`).then((r) => r.events);
/** With so many of the last values of each field. */
export const getDiscovered = (values = 8) => call<Discovered>(`/api/discovered?${query({ values })}`);
export const getConnections = () =>
  call<{ connections: Connection[] }>('/api/connections').then((r) => r.connections);
export const getStats = () => call<Stats>('/api/stats');

/** One topic with all that is kept of its values. */
export const getTopic = (topic: string) =>
  call<{ topics: Topic[] }>(`/api/discovered?${query({ topic })}`).then((r) => r.topics.find((x) => x.topic === topic) ?? null);

export const getRaw = (series: string, from: number, to: number, limit: number) =>
  call<RawHistory>(`/api/history?${query({ series, from, to, limit })}`);
export const getWindows = (series: string, from: number, to: number, points: number) =>
  call<WindowHistory>(`/api/history?${query({ series, from, to, points })}`);
export const getWindowsOf = (series: string, from: number, to: number, window: number) =>
  call<WindowHistory>(`/api/history?${query({ series, from, to, window })}`);

export const getSource = (program: string) => call<SourceText>(`/api/programs/${encodeURIComponent(program)}/source`);
export const getTests = () => call<TestRun>('/api/tests');
export const runTests = () => post<TestRun>('/api/tests', {});
export const getLinks = () => call<{ links: LinkLine[] }>('/api/links').then((r) => r.links);
export const getSettings = () => call<Settings>('/api/settings');
/** Reads and checks the site's folder again; if it passes, it is the site that runs. */
export const reload = () => post<ReloadReport>('/api/reload', {});
export const adopt = (request: AdoptRequest) => post<AdoptAnswer>('/api/adopt', request);

/** The address of a file with the history of these series; window 0: every sample. */
/** Whether the spreadsheet beside this browser is likely to want 0,5: it has the same language. */
const commaInNumbers = (): boolean => (0.5).toLocaleString(navigator.language).includes(',');

export function exportUrl(series: string[], from: number, to: number, window: number, format: 'csv' | 'jsonl'): string {
  const q = new URLSearchParams(series.map((s) => ['series', s]));
  q.set('from', String(Math.floor(from)));
  q.set('to', String(Math.ceil(to)));
  if (window > 0) q.set('window', String(window));
  q.set('format', format);
  if (format === 'csv') q.set('cells', 'guarded'); // a person opens it, and not all that publish are trusted
  if (format === 'csv' && commaInNumbers()) q.set('decimal', 'comma');
  return `/api/export?${q.toString()}`;
}

export const shelve = (id: number, by: string, for_ms: number, why: string) =>
  post<Alert>(`/api/alerts/${id}/shelve`, { by, for_ms, why });
export const unshelve = (id: number, by: string) =>
  call<Alert>(`/api/alerts/${id}/shelve`, { method: 'DELETE', headers: JSON_BODY, body: JSON.stringify({ by }) });
export const acknowledge = (id: number, by: string) =>
  post<Alert>(`/api/alerts/${id}/acknowledge`, { by });
export const command = (device: string, action: string, args: Record<string, Value>, by: string) =>
  post<Action>(`/api/devices/${encodeURIComponent(device)}/actions/${encodeURIComponent(action)}`, {
    args,
    by,
  });
export const giveBack = (device: string) =>
  call<undefined>(`/api/devices/${encodeURIComponent(device)}/lease`, { method: 'DELETE', headers: JSON_BODY, body: '{}' });
