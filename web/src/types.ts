// The shapes of the HTTP API. Those of docs/openapi.json are generated
// (api-types.ts); beside them stand here those that it does not have yet.

import type { Device as DescribedDevice, ProblemBody, Site as DescribedSite } from './api-types';

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

/** A proxy may answer with less, or with something else. */
export type AnyProblem = Partial<ProblemBody>;

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
