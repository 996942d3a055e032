// Written by tools/api-types.py from docs/openapi.json, which is where to change something.

/** A value of a property or of an argument, as its declared type has it. */
export type Value = number | boolean | string;

export type ValueType = "bool" | "int" | "float" | "str";

/** none: no value yet; stale: no news for longer than `stale_ms`; bad: out of the declared range, or not readable. */
export type Quality = "none" | "good" | "stale" | "bad" | "uncertain";

/** A property of a device, with its newest value. */
export interface Property {
  name: string;
  /** The index that the live feed uses, valid for this `run` of the server */
  series: number;
  type: ValueType;
  /** As the model declares it: "°C" */
  unit: string | null;
  min: number | null;
  max: number | null;
  value: Value | null;
  /** When the value was, by the device's clock if it says */
  ts_ms: number | null;
  quality: Quality;
  /** It is stale after so long without news */
  stale_ms: number | null;
  /** Why it can't be read, or can hardly be right */
  why: string | null;
}

/** A parameter of an action. */
export interface Param {
  name: string;
  type: ValueType;
  unit: string | null;
}

/** An action that a model declares. */
export interface ActionDecl {
  name: string;
  params: Param[];
  /** The condition that confirms it: "position > 90 %" */
  confirms: string | null;
  /** The model's safe action */
  safe: boolean;
}

/** Who commands a device in the place of its owner. */
export interface Lease {
  holder: string;
  /** A person, not a program */
  person: boolean;
  priority: number;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  since_ms: number | null;
  /** null: as long as the holder wants */
  until_ms: number | null;
  /** How many wait for it */
  waiting: number;
}

/** How a device is reached, and how that goes. */
export interface Link {
  /** mqtt: by the convention of `via mqtt`; mapped: by clauses of its own; modbus: on a line that the site polls */
  kind: "mqtt" | "mapped" | "modbus" | "none";
  /** The topic, or the line and the unit */
  text: string | null;
  /** As its availability topic or its line says; null: nobody says */
  online: boolean | null;
  /** Why it is off-line */
  why: string | null;
  /** Messages that could not be read */
  unreadable: number;
}

/** A device has come or gone, or one of its properties has another problem. */
export interface LinkEvent {
  device: string;
  online: boolean | null;
  why: string | null;
  /** By the names of properties, `why` of those that have one */
  problems: Record<string, string>;
}

export interface Device {
  name: string;
  model: string;
  id: string | null;
  topic: string | null;
  /** The program that owns it */
  owner: string | null;
  lease: Lease | null;
  link: Link;
  properties: Property[];
  actions: ActionDecl[];
  events: string[];
}

export interface Group {
  name: string;
  members: string[];
}

export type RuleState = "idle" | "holding" | "active";

/** A rule of a program. */
export interface Rule {
  /** Stable over reloads */
  path: string;
  line: number;
  /** Its head */
  text: string;
  /** What ends it, where it says so; what is done then has this rule as its cause, too */
  until: string | null;
  state: RuleState;
  /** How often */
  fired: number;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  fired_ms: number | null;
}

/** A program, and what it has used. */
export interface Program {
  name: string;
  file: string;
  line: number;
  state: "running" | "stopped" | "failed";
  /** Devices */
  owns: string[];
  /** Series, by index */
  reads: number[];
  /** Events that it handled */
  turns: number;
  /** Of its machine, in all */
  instructions: number;
  /** Turns that ran out of their budget */
  overruns: number;
  /** Turns that failed, and changed nothing */
  traps: number;
  turn_instructions_peak: number;
  /** That wait or run now */
  tasks: number;
  /** Bytes */
  heap_live: number;
  /** Bytes */
  heap_bytes: number;
  /** Bytes */
  heap_max: number;
  gc_cycles: number;
  gc_pause_max_ns: number;
  gc_total_ns: number;
  /** What the last failed turn failed of */
  error: string | null;
  rules: Rule[];
}

/** The whole site. */
export interface Site {
  name: string;
  /** Of sedge */
  version: string;
  /** Of this run of the server; indexes of series are valid within it */
  run: string;
  /** Milliseconds since 1970 UTC */
  now_ms: number;
  /** Milliseconds since 1970 UTC */
  started_ms: number;
  /** false: the journal can't keep its promise */
  durable: boolean;
  durable_why?: string | null;
  devices: Device[];
  groups: Group[];
  programs: Program[];
  /** Where it listens. */
  server: {
    mqtt: string[];
    http: string[];
  };
}

/** The reading that led to it. */
export interface Cause {
  series: string;
  value: Value | null;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  ts_ms: number | null;
}

export type Severity = "info" | "warning" | "critical";

/** ISA-18.2. returned: normal again, not yet acknowledged. Shelved is beside the state. */
export type AlertState = "unacknowledged" | "acknowledged" | "returned" | "normal";

/** A condition that people should know. */
export interface Alert {
  id: number;
  severity: Severity;
  text: string;
  /** What sedge itself says in `text`; null: the text is the site's own */
  says: Says | null;
  state: AlertState;
  source: {
    program: string | null;
    rule: string | null;
    line: number | null;
    device: string | null;
  };
  cause: Cause | null;
  /** Milliseconds since 1970 UTC */
  raised_ms: number;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  cleared_ms: number | null;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  acknowledged_ms: number | null;
  acknowledged_by: string | null;
  /** Occurrences */
  count: number;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  shelved_ms: number | null;
  /** Put aside until then; null: it is not shelved */
  shelved_until_ms: number | null;
  shelved_by: string | null;
  shelved_why: string | null;
}

/** What an alert of sedge's own says, for who says it in another language. Which members there are depends on the code: not-obeyed, not-commanded, maybe-not-obeyed (device, action, reason, attempts, confirms, detail, left); program-stopped (program, detail); rule-failed, task-failed (rule, detail). */
export interface Says {
  code: string;
  device?: string;
  action?: string;
  /** As of an action */
  reason?: string;
  attempts?: number;
  confirms?: string;
  /** In English */
  detail?: string;
  /** Where the device was, if the site does not have it any more */
  left?: string;
  program?: string;
  rule?: string;
}

export interface Acknowledgement {
  /** Who */
  by: string;
}

/** For how long, and why, a condition shall not bother. */
export interface Shelving {
  /** Who */
  by: string;
  /** At most 7 days */
  for_ms: number;
  why: string;
}

/** Who decided it. */
export type By = {
  kind: "program";
  program: string;
  rule: string | null;
  line: number | null;
} | {
  kind: "operator";
  name: string;
};

/** A command, decided by a program or a person. */
export interface Action {
  id: string;
  device: string;
  action: string;
  args: Record<string, Value>;
  state: "waiting" | "sent" | "confirmed" | "failed" | "denied";
  by: By;
  cause: Cause | null;
  confirms: string | null;
  attempts: number;
  /** Milliseconds since 1970 UTC */
  requested_ms: number;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  outcome_ms: number | null;
  /** Of a failure */
  why: string | null;
  /** What `why` says, for programs */
  reason: "unconfirmed" | "not-sent" | "not-recorded" | "refused" | "superseded" | "undeclared" | "moved" | "interrupted" | "owned" | null;
  /** The end of `why`: what the reason alone does not tell */
  detail: string | null;
}

export interface Command {
  /** One member for each parameter, in its unit */
  args?: Record<string, Value>;
  /** Who */
  by: string;
}

/** An event that a device has announced, and when. */
export interface HeardEvent {
  device: string;
  event: string;
  /** How often, since it was first heard */
  count: number;
  /** The last times, the newest in front; milliseconds since 1970 UTC */
  times_ms: number[];
}

/** A rule's new state. */
export interface RuleEvent {
  program: string;
  path: string;
  state: RuleState;
  fired: number;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  fired_ms: number | null;
}

/** Events that this reader did not get, because it did not keep up. */
export interface LostEvent {
  count: number;
}

/** Somebody got or gave back a device: fetch the site. */
export interface LeaseEvent {
  device: string;
}

/** Fetch it again. */
export type BareEvent = Record<string, never>;

/** [series, ts_ms, value, quality] */
export type Sample = [number, number, Value | null, Quality];

/** The newest of each series that has news, at most ten batches a second. */
export type Samples = Sample[];

/** [ts_ms, value] */
export type Point = [number, Value];

/** Points, the oldest first. */
export interface RawHistory {
  series: string;
  unit: string | null;
  /** Milliseconds since 1970 UTC */
  from: number;
  /** Milliseconds since 1970 UTC */
  to: number;
  points: Point[];
  /** There are more than `limit` */
  truncated: boolean;
}

/** [t0_ms, n, min, max, mean], with `edges` also first, last */
export type Window = [number, number, number, number, number, number?, number?];

/** Windows; empty ones are left out. */
export interface WindowHistory {
  series: string;
  unit: string | null;
  /** Milliseconds since 1970 UTC */
  from: number;
  /** Milliseconds since 1970 UTC */
  to: number;
  /** Width in ms */
  window: number;
  windows: Window[];
  truncated: boolean;
}

/** A program as it is written. */
export interface SourceText {
  program: string;
  file: string;
  /** Of its first line without comments */
  line: number;
  /** Of `text` in the file */
  first_line: number;
  last_line: number;
  /** With the comment right above it */
  text: string;
}

/** What happened in a test. */
export interface TestEvent {
  /** Since its start */
  at_ms: number;
  kind: "alert" | "action";
  device: string | null;
  severity?: Severity;
  text?: string | null;
  action?: string | null;
  args?: Record<string, Value>;
  program: string | null;
  rule: string | null;
  line: number;
  because: string | null;
}

/** A condition that held, but not long enough. */
export interface TestNear {
  rule: string;
  line: number;
  held_ms: number;
  hold_ms: number;
}

/** An `expect` that was not met. */
export interface TestFailure {
  file: string;
  line: number;
  column: number;
  /** As it is written */
  expected: string | null;
  /** Where it looked, since the test's start */
  from_ms: number;
  to_ms: number;
  /** Of a value: "is 20 °C" */
  actual: string | null;
  happened: TestEvent[];
  nearly: TestNear[];
}

export interface TestResult {
  name: string;
  file: string;
  line: number;
  passed: boolean;
  /** That were looked at */
  expects: number;
  simulated_ms: number;
  /** A failure as people read it */
  text: string | null;
  failures: TestFailure[];
}

/** The last run of the site's tests, of its files as they were then. */
export interface TestRun {
  running: boolean;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  started_ms: number | null;
  /** Milliseconds since 1970 UTC; null: never, or not yet */
  ended_ms: number | null;
  took_ms: number;
  /** Why nothing else is known of it: it did not end in time, … */
  error: string | null;
  /** Mistakes in the files: nothing was played */
  errors: number;
  /** The messages of the check, as people read them */
  text: string | null;
  run: number;
  failed: number;
  simulated_ms: number;
  tests: TestResult[];
}

export interface Listener {
  protocol: "mqtt" | "http";
  address: string;
  tls: boolean;
  websocket: boolean;
  /** It asks for a name and a password */
  passwords: boolean;
  /** Clients may be known by a certificate */
  certificates: boolean;
  /** Clients without a name are let in */
  anonymous: boolean;
  /** The site says in words that it may be reached from outside without protection */
  insecure: boolean;
  /** Of the page's host */
  name: string | null;
}

export interface SettingsFile {
  name: string;
  bytes: number;
  lines: number;
}

export interface SettingsLimit {
  /** As the site writes it */
  name: string;
  /** A count, bytes, seconds or (connect_timeout) milliseconds, or a word; null: no limit */
  value: number | string | null;
}

/** A rule of access as it is written. */
export interface AccessRule {
  file: string;
  line: number;
  text: string;
}

/** A line of Modbus. Counts are of all its units, since the line was declared. */
export interface LinkLine {
  kind: "modbus";
  /** tcp://10.0.0.7:502, rtu:/dev/ttyUSB0 19200 8E1 */
  text: string;
  state: "connected" | "connecting" | "waiting";
  /** While it is connected */
  since_ms: number | null;
  /** While it waits: when it is tried again */
  retry_ms: number | null;
  requests: number;
  answers: number;
  timeouts: number;
  /** Answers that say no, and frames that are broken */
  errors: number;
  last_error: string | null;
  last_error_ms: number | null;
  units: LinkUnit[];
}

export interface LinkUnit {
  unit: number;
  devices: string[];
  /** null: it has not been asked yet; false also while its line is lost */
  online: boolean | null;
  requests: number;
  answers: number;
  timeouts: number;
  errors: number;
  last_error: string | null;
  last_error_ms: number | null;
}

/** What the site was started with. Never a secret. */
export interface Settings {
  name: string;
  version: string;
  folder: string;
  files: SettingsFile[];
  listeners: Listener[];
  store: {
    folder: string;
    /** Acknowledged messages of so long may be lost by a power cut; 0: none */
    commit_ms: number;
  };
  workers: {
    /** null: one for each core */
    declared: number | null;
    running: number;
  };
  driver: "io_uring" | "epoll";
  /** Of the site's clock; null: the system's */
  zone: string | null;
  watchdog_ms: number | null;
  /** Between two looks of the topics below $SYS; null: there are none */
  sys_ms: number | null;
  /** Of the broker, all that are in force */
  limits: SettingsLimit[];
  /** In the order in which they hold */
  access: AccessRule[];
}

/** A message of the check, as `sedge check --json` has it. */
export type Diagnostic = Record<string, unknown>;

/** What became of a reload. */
export interface ReloadReport {
  result: "taken" | "refused";
  /** One sentence, if it is refused */
  why: string | null;
  /** Milliseconds since 1970 UTC */
  at_ms: number;
  took_ms: number;
  errors: number;
  warnings: number;
  /** The messages as people read them */
  text: string;
  diagnostics: Diagnostic[];
  programs?: {
    kept: number;
    changed: string[];
    added: string[];
    removed: string[];
  };
  devices?: {
    kept: number;
    changed: string[];
    added: string[];
    removed: string[];
  };
}

export interface ReloadState {
  running: boolean;
  last: ReloadReport | null;
}

/** A topic that no device claims, or a device's whose message could not be read. */
export interface Topic {
  topic: string;
  count: number;
  /** Milliseconds since 1970 UTC */
  first_ms: number;
  /** Milliseconds since 1970 UTC */
  last_ms: number;
  kind: "json" | "number" | "text" | "binary";
  /** Of the last message, cut at 512 bytes */
  payload: string;
  /** Whose topic it is, if its messages can't be read */
  device: string | null;
  /** So many of a device's messages could not be read */
  unreadable: number;
  /** Why the last one could not */
  error: Unreadable | null;
  /** What adopting would make of it; null: nothing */
  shape: "tasmota" | "zigbee2mqtt" | "shelly" | "esphome" | "json" | "value" | null;
  /** The key of its thing */
  thing: string;
  obstacle: Obstacle;
  fields: Field[];
  /** Values of the last message that had no room */
  fields_left_out: number;
}

export interface Unreadable {
  /** Of the value; empty: the whole payload */
  path: string;
  /** Byte of the payload, from 0 */
  at: number;
  reason: string;
}

/** A value in a topic's messages, and what was seen of it. */
export interface Field {
  /** ENERGY.Power, v[0].x; empty: a bare payload */
  path: string;
  type: "integer" | "number" | "boolean" | "text" | "mixed" | "null";
  /** Messages that had it */
  count: number;
  min: number | null;
  max: number | null;
  /** The different texts; null: none, or more than 8 */
  words: string[] | null;
  last: number | boolean | string | null;
  /** The last ones, the oldest first */
  values: ([number, number | boolean | string | null])[];
}

export interface AdoptRequest {
  /** Related topics of one thing are found by themselves */
  topics: string[];
  /** The name that is wanted; that of a declared device: what is new goes into it */
  device?: string | null;
  /** The name that is wanted; one that is there is used */
  model?: string | null;
  /** Declarations in the place of the proposed ones; `topics` may be empty then */
  text?: string | null;
  /** Of the answer that was looked at: if anything else would be written, nothing is (/problems/not-shown) */
  shown?: string | null;
  /** Write it, and take the changed site */
  apply?: boolean;
}

export interface AdoptAnswer {
  /** null with a `text` of one's own */
  device: string | null;
  model: string | null;
  device_exists: boolean;
  model_exists: boolean;
  /** `text` may be changed and sent back */
  editable: boolean;
  text: string;
  /** That become the device's */
  topics: string[];
  left_out: LeftOut[];
  files: ChangedFile[];
  /** Stands for `files`; sent back with `apply` */
  shown: string;
  warnings: string[];
  diagnostics: Diagnostic[];
  applied: boolean;
  reload: ReloadReport | null;
}

/** A value that becomes no property. */
export interface LeftOut {
  topic: string;
  path: string;
  why: string;
}

export interface ChangedFile {
  file: string;
  new: boolean;
  /** Lines */
  added: number;
  removed: number;
  /** Unified */
  diff: string;
}

export interface Discovered {
  /** What can be adopted first */
  things: FoundThing[];
  /** In the order of the things */
  topics: Topic[];
  /** Topics that had no room */
  dropped: number;
}

/** What speaks on several topics and is one thing, or topics of no thing that share a place. */
export interface FoundThing {
  /** The same for all its topics, and for ever: tasmota:plug1 */
  key: string;
  /** For people */
  name: string;
  /** Whose habits it has; null: it is no thing */
  shape: "tasmota" | "zigbee2mqtt" | "shelly" | "esphome" | "json" | "value" | null;
  /** The declared device that has some of it: adopting adds to that */
  device: string | null;
  /** One of its topics, for POST /api/adopt; null: it can't be adopted */
  adopt: string | null;
  obstacle: Obstacle;
  /** The obstacle, for people; empty: there is none */
  why: string;
  /** All of it, what tells most first */
  topics: string[];
  /** Messages of all its topics */
  count: number;
  /** Milliseconds since 1970 UTC */
  first_ms: number;
  /** Milliseconds since 1970 UTC */
  last_ms: number;
}

/** Why it can't be adopted. command: only said to a device; announcement: what it announces has topics of its own; sparkplug: only listed; binary: no text; nothing: no value in it could be a property; had: its device has all of it; unreadable: messages that its device could not read */
export type Obstacle = "command" | "announcement" | "sparkplug" | "binary" | "nothing" | "had" | "unreadable" | null;

/** An MQTT client, or a persistent session that is off-line. */
export interface Connection {
  client: string;
  address: string | null;
  /** 4: 3.1.1; 5: 5.0; 0: off-line */
  version: number;
  user: string | null;
  /** null: off-line */
  connected_ms: number | null;
  clean: boolean;
  received: number;
  sent: number;
  subscriptions: number;
  /** Messages that wait for their turn */
  queued: number;
}

/** A thread that works. */
export interface WorkerStats {
  worker: number;
  /** Its rounds */
  ticks: number;
  /** Of tasks and coroutines */
  polls: number;
  sleeps: number;
  /** By another thread */
  wakes: number;
  /** For work at the others */
  searches: number;
  /** That it took */
  steals: number;
  /** Long computations that it was given while it slept */
  handed: number;
  /** Its own, now */
  tasks: number;
}

/** A pool of memory that a worker has used. */
export interface PoolStats {
  name: string;
  worker: number;
  block_bytes: number;
  in_use: number;
  peak: number;
  made: number;
  limit: number;
  refused: number;
  /** Blocks that another thread gave back */
  given_by_others: number;
}

/** Messages that were dropped, by reason. */
export interface Dropped {
  reason: string;
  count: number;
}

/** Figures of the running server. */
export interface Stats {
  uptime_ms: number;
  rss_bytes: number;
  driver: string;
  messages_in: number;
  messages_out: number;
  samples: number;
  connections: number;
  journal: {
    appended: number;
    committed: number;
    syncs: number;
    bytes: number;
    segments: number;
    damaged: number;
  };
  history: {
    series: number;
    chunks: number;
    points: number;
    head_points: number;
  };
  runtime: {
    workers: WorkerStats[];
    pools: PoolStats[];
  };
  dropped: Dropped[];
}

/** RFC 9457 problem details. `detail` is for people; programs look at `status` and `type`. What a type means is told at its address. */
export interface ProblemBody {
  type: "about:blank" | "/problems/parameter" | "/problems/unknown" | "/problems/absent" | "/problems/owned" | "/problems/state" | "/problems/under-way" | "/problems/changed" | "/problems/not-shown" | "/problems/site-refused" | "/problems/no-device" | "/problems/not-stored" | "/problems/not-written" | "/problems/left-changed" | "/problems/busy";
  title: string;
  status: number;
  detail: string;
  /** The path that was asked for */
  instance?: string;
  /** Of /problems/parameter: which one */
  parameter?: string;
  /** Of /problems/owned: who has the device */
  owner?: string;
  reload?: ReloadReport;
  /** Of /problems/unknown: which one */
  topic?: string;
  diagnostics?: Diagnostic[];
  /** The diagnostics as people read them */
  text?: string;
  files?: ChangedFile[];
  /** Of /health */
  why?: string;
}

/** The events of /api/live, by name. */
export interface Events {
  samples: Samples;
  alert: Alert;
  action: Action;
  event: HeardEvent;
  discovered: Topic;
  rule: RuleEvent;
  lease: LeaseEvent;
  link: LinkEvent;
  site: BareEvent;
  tests: BareEvent;
  lost: LostEvent;
}
