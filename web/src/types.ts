// The shapes of the HTTP API, generated from docs/openapi.json (api-types.ts), and what a client of it meets beside them.

import type { ProblemBody } from './api-types';

export * from './api-types';

/** A proxy may answer with less, or with something else. */
export type AnyProblem = Partial<ProblemBody>;
