// The shapes of the HTTP API, as docs/http-api.md and its OpenAPI description tell them.

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

/** How a device is reached, and whether it can be. */
export interface Link {
  kind: 'mqtt' | 'mapped' | 'modbus' | 'none';
  text: string | null;
  /** null: nothing tells. */
  online: boolean | null;
  why: string | null;
  /** Messages that could not be read. */
  unreadable: number;
}

export interface Device {
  name: string;
  model: string;
  id: string | null;
  topic: string | null;
  owner: string | null;
  lease: Lease | null;
  link?: Link | null;
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
  /** Until then it is out of the way (ISA-18.2); null or absent: it is not shelved. */
  shelved_until_ms?: number | null;
  shelved_ms?: number | null;
  shelved_by?: string | null;
  shelved_why?: string | null;
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

/** One value inside the payloads of a topic, and how it moved. */
export interface Field {
  /** Nested by dots, arrays by [0]; "" is a bare payload. */
  path: string;
  type: 'integer' | 'number' | 'boolean' | 'text' | 'mixed' | 'null';
  count: number;
  min: number | null;
  max: number | null;
  words: string[] | null;
  last: Value | null;
  values: [ts_ms: number, value: Value | null][];
}

export interface Unreadable {
  path: string;
  at: number;
  reason: string;
}

export interface Topic {
  topic: string;
  count: number;
  first_ms: number;
  last_ms: number;
  kind: 'json' | 'number' | 'text' | 'binary';
  payload: string;
  /** Whose it is, if a device's message could not be read. */
  device?: string | null;
  unreadable?: number;
  error?: Unreadable | null;
  /** What adopting would make of it; null: nothing. */
  shape?: string | null;
  fields?: Field[];
  fields_left_out?: number;
}

export interface AdoptRequest {
  topics: string[];
  device: string | null;
  model: string | null;
  text: string | null;
  apply: boolean;
}

export interface FileChange {
  file: string;
  new: boolean;
  added: number;
  removed: number;
  diff: string;
}

/** What `POST /api/adopt` proposes, or has done. */
export interface AdoptAnswer {
  device: string | null;
  model: string | null;
  model_exists: boolean;
  device_exists: boolean;
  /** Whether `text` may come back changed. */
  editable: boolean;
  text: string;
  topics: string[];
  left_out: { topic: string; path: string; why: string }[];
  files: FileChange[];
  warnings: string[];
  applied: boolean;
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

export interface SourceText {
  program: string;
  file: string;
  line: number;
  first_line: number;
  last_line: number;
  text: string;
}

export interface TestResult {
  name: string;
  file: string;
  line: number;
  passed: boolean;
  expects: number;
  simulated_ms: number;
  text: string | null;
}

export interface TestRun {
  running: boolean;
  started_ms: number | null;
  ended_ms: number | null;
  took_ms: number | null;
  /** They could not be run to the end. */
  error: string | null;
  /** The files on disk have errors: `text` tells them. */
  errors: number;
  text: string | null;
  run: number;
  failed: number;
  simulated_ms: number;
  tests: TestResult[];
}

/** A unit behind a field line. */
export interface LinkUnit {
  unit: number;
  devices: string[];
  online: boolean | null;
  requests: number;
  answers: number;
  timeouts: number;
  errors: number;
  last_error: string | null;
  last_error_ms: number | null;
}

/** A line or connection that the site opens itself. */
export interface LinkLine {
  kind: string;
  text: string;
  state: 'connected' | 'connecting' | 'waiting' | 'closed';
  since_ms: number | null;
  retry_ms: number | null;
  requests: number;
  answers: number;
  timeouts: number;
  errors: number;
  last_error: string | null;
  last_error_ms: number | null;
  units: LinkUnit[];
}

export interface Listener {
  protocol: string;
  address: string;
  tls: boolean;
  websocket: boolean;
  passwords: boolean;
  certificates: boolean;
  anonymous: boolean;
  insecure: boolean;
  name: string | null;
}

/** What the site was told to be; never a secret. */
export interface Settings {
  name: string;
  version: string;
  folder: string;
  files: { name: string; bytes: number; lines: number }[];
  listeners: Listener[];
  store: { folder: string; commit_ms: number };
  workers: { declared: number | null; running: number };
  driver: string;
  zone: string | null;
  watchdog_ms: number | null;
  sys_ms: number | null;
  limits: { name: string; value: Value }[];
  access: { file: string; line: number; text: string }[];
  reload: boolean;
  tests: boolean;
}
