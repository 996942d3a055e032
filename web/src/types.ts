// The shapes of the HTTP API. Those of docs/openapi.json are generated
// (api-types.ts); beside them stand here those that it does not have yet.

import type { Device as DescribedDevice, ProblemBody as DescribedProblem, Site as DescribedSite, Topic as DescribedTopic, Value } from './api-types';

export * from './api-types';

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

export interface Device extends DescribedDevice {
  link?: Link | null;
}

export interface Site extends Omit<DescribedSite, 'devices'> {
  devices: Device[];
}

/** A problem may bring what the compiler said, and the change of files that was tried. */
export type ProblemBody = Partial<DescribedProblem> & { text?: string; files?: FileChange[] };

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

export interface Topic extends Omit<DescribedTopic, 'error'> {
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
