// The HTTP API as docs/http-api.md describes it: shapes and calls, nothing else.

export type Value = number | boolean | string;
export type Quality = 'none' | 'good' | 'stale' | 'bad' | 'uncertain';
export type ValueType = 'bool' | 'int' | 'float' | 'str';

export interface Property {
  name: string;
  series: number;
  type: ValueType;
  unit: string | null;
  min: number | null;
  max: number | null;
  value: Value | null;
  ts_ms: number | null;
  quality: Quality;
  stale_ms: number | null;
}

export interface Param {
  name: string;
  type: ValueType;
  unit: string | null;
}

export interface ActionDecl {
  name: string;
  params: Param[];
  confirms: string | null;
  safe: boolean;
}

/** Who commands a device instead of its owner; until_ms 0: as long as it wants. */
export interface Lease {
  holder: string;
  person: boolean;
  priority: number;
  since_ms: number;
  until_ms: number | null;
  waiting: number;
}

export interface Device {
  name: string;
  model: string;
  id: string | null;
  topic: string | null;
  owner: string | null;
  lease: Lease | null;
  properties: Property[];
  actions: ActionDecl[];
  events: string[];
}

export interface Rule {
  path: string;
  line: number;
  text: string;
  state: 'idle' | 'holding' | 'active';
  fired: number;
  fired_ms: number | null;
}

export interface Program {
  name: string;
  file: string;
  line: number;
  state: 'running' | 'stopped' | 'failed';
  owns: string[];
  reads: number[];
  turns: number;
  instructions: number;
  overruns: number;
  traps: number;
  tasks: number;
  heap_live: number;
  heap_bytes: number;
  heap_max: number;
  gc_cycles: number;
  gc_pause_max_ns: number;
  error: string | null;
  rules: Rule[];
}

export interface Site {
  name: string;
  version: string;
  run: string;
  now_ms: number;
  started_ms: number;
  durable: boolean;
  durable_why?: string | null;
  devices: Device[];
  groups: { name: string; members: string[] }[];
  programs: Program[];
  server: { mqtt: string[]; http: string[] };
}

export interface Cause {
  series: string;
  value: Value | null;
  ts_ms: number;
}

export type Severity = 'info' | 'warning' | 'critical';

export interface Alert {
  id: number;
  severity: Severity;
  text: string;
  state: 'unacknowledged' | 'acknowledged' | 'returned' | 'normal';
  source: { program: string | null; rule: string | null; line: number | null; device: string | null };
  cause: Cause | null;
  raised_ms: number;
  cleared_ms: number | null;
  acknowledged_ms: number | null;
  acknowledged_by: string | null;
  count: number;
}

export type By =
  | { kind: 'program'; program: string; rule: string | null; line: number | null }
  | { kind: 'operator'; name: string };

export interface Action {
  id: string;
  device: string;
  action: string;
  args: Record<string, Value>;
  state: 'waiting' | 'sent' | 'confirmed' | 'failed' | 'denied';
  by: By;
  cause: Cause | null;
  confirms: string | null;
  attempts: number;
  requested_ms: number;
  outcome_ms: number | null;
  why: string | null;
}

export interface Topic {
  topic: string;
  count: number;
  first_ms: number;
  last_ms: number;
  kind: 'json' | 'number' | 'text' | 'binary';
  payload: string;
  error?: string;
}

export interface Connection {
  client: string;
  address: string | null;
  version: number;
  user: string | null;
  connected_ms: number | null;
  clean: boolean;
  received: number;
  sent: number;
  subscriptions: number;
  queued: number;
}

/** A thread that works: worker 0 has the connections, the others compute for it. */
export interface WorkerStats {
  worker: number;
  ticks: number;
  polls: number;
  sleeps: number;
  wakes: number;
  searches: number;
  steals: number;
  handed: number;
  tasks: number;
}

export interface Stats {
  uptime_ms: number;
  rss_bytes: number;
  messages_in: number;
  messages_out: number;
  samples: number;
  journal: { appended: number; committed: number; syncs: number; bytes: number; segments: number };
  history: { series: number; chunks: number; points: number; head_points: number };
  connections: number;
  runtime: { workers: WorkerStats[] };
  dropped: { reason: string; count: number }[];
}

/** [t0_ms, n, min, max, mean, first, last] */
export type Window = [number, number, number, number, number, number, number];

export interface RawHistory {
  series: string;
  unit: string | null;
  points: [number, Value][];
  truncated: boolean;
}

export interface WindowHistory {
  series: string;
  window: number;
  windows: Window[];
}

/** A refusal of the server, as RFC 9457 problem details tell it. */
export class Problem extends Error {
  readonly status: number;
  readonly owner: string | null;
  constructor(status: number, detail: string, owner: string | null) {
    super(detail);
    this.status = status;
    this.owner = owner;
  }
}

interface ProblemBody {
  title?: string;
  detail?: string;
  owner?: string;
}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, { cache: 'no-store', ...init });
  if (response.status === 204) return undefined as T;
  if (response.ok) return (await response.json()) as T;
  let body: ProblemBody = {};
  try {
    body = (await response.json()) as ProblemBody;
  } catch {
    // A proxy's page, or no body at all: the status must do.
  }
  const text = body.detail ?? body.title ?? `${response.status} ${response.statusText}`;
  throw new Problem(response.status, text, body.owner ?? null);
}

function post<T>(path: string, body: unknown): Promise<T> {
  return call<T>(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
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
export const getDiscovered = () => call<{ topics: Topic[]; dropped: number }>('/api/discovered');
export const getConnections = () =>
  call<{ connections: Connection[] }>('/api/connections').then((r) => r.connections);
export const getStats = () => call<Stats>('/api/stats');

export const getRaw = (series: string, from: number, to: number, limit: number) =>
  call<RawHistory>(`/api/history?${query({ series, from, to, limit })}`);
export const getWindows = (series: string, from: number, to: number, points: number) =>
  call<WindowHistory>(`/api/history?${query({ series, from, to, points })}`);

export const acknowledge = (id: number, by: string) =>
  post<Alert>(`/api/alerts/${id}/acknowledge`, { by });
export const command = (device: string, action: string, args: Record<string, Value>, by: string) =>
  post<Action>(`/api/devices/${encodeURIComponent(device)}/actions/${encodeURIComponent(action)}`, {
    args,
    by,
  });
export const giveBack = (device: string) =>
  call<undefined>(`/api/devices/${encodeURIComponent(device)}/lease`, { method: 'DELETE', headers: { 'Content-Type': 'application/json' }, body: '{}' });
