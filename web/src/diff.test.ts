import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffLines } from './diff';

test('a unified diff becomes lines with their kinds, without the names of the files', () => {
  const diff = '--- devices.sedge\n+++ devices.sedge\n@@ -1,2 +1,3 @@\n // the plant\n-device a: A {}\n+device a: B {}\n+--- not a name\n\\ No newline at end of file\n';
  assert.deepEqual(diffLines(diff).map((l) => [l.kind, l.text]), [
    ['place', '@@ -1,2 +1,3 @@'],
    ['same', '// the plant'],
    ['remove', 'device a: A {}'],
    ['add', 'device a: B {}'],
    ['add', '--- not a name'],
  ]);
});

test('a removed line that looks like a name is a removed line', () => {
  assert.deepEqual(diffLines('--- a\n+++ a\n@@ -1 +0,0 @@\n--- old\n'), [{ kind: 'place', text: '@@ -1 +0,0 @@' }, { kind: 'remove', text: '-- old' }]);
});
