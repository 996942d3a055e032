// The description of the API (docs/openapi.json) is valid OpenAPI 3.1 to a validator by others, and what is broken in it would
// be noticed. That the server does as it says is tested by tests/integration/api_test.py.
//
//   node description.test.mjs

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { source } from './harness.mjs';

const description = JSON.parse(await readFile(join(source, 'docs', 'openapi.json'), 'utf8'));

async function errors(change) {
  const copy = structuredClone(description);
  change(copy);
  const validator = new Validator();
  const result = await validator.validate(copy);
  assert.equal(validator.version, '3.1');
  return result.valid ? [] : [result.errors].flat();
}

const breaks = {
  'no title': (d) => delete d.info.title,
  'answers that are none': (d) => (d.paths['/api/site'].get.responses = {}),
  'a parameter that is nowhere': (d) => (d.paths['/api/history'].get.parameters[0].in = 'cellar'),
  'a path without its slash': (d) => (d.paths['api/moon'] = d.paths['/api/site']),
  'an answer without a description': (d) => delete d.components.responses.Conflict.description,
};

assert.deepEqual(await errors(() => {}), []);
for (const [what, change] of Object.entries(breaks)) {
  assert.notEqual((await errors(change)).length, 0, `${what} is not noticed`);
  console.log(`ok - ${what} is noticed`);
}
const ids = Object.values(description.paths).flatMap((path) => Object.values(path).map((operation) => operation.operationId));
assert.equal(new Set(ids).size, ids.length, 'each operation has an id of its own');
console.log('ok - the description is valid');
