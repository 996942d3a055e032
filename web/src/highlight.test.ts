import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pieces } from './highlight';

const kinds = (line: string) => pieces(line).filter(([k]) => k !== 'plain').map(([k, text]) => `${k} ${text}`);

test('words, numbers with units, strings and comments are told apart', () => {
  assert.deepEqual(kinds('  when temp > 80 °C for 2s { alert warning "at {temp}" } // why'), [
    'word when', 'number 80', 'word for', 'number 2s', 'word alert', 'word warning', 'string "at {temp}"', 'comment // why',
  ]);
  assert.deepEqual(kinds('at 06:00 missed run {'), ['word at', 'number 06:00', 'word missed']);
});

test('what looks like a comment within a string is none, and a quote may be open', () => {
  assert.deepEqual(kinds('publish "http://x" 1'), ['word publish', 'string "http://x"', 'number 1']);
  assert.deepEqual(kinds('alert info "open'), ['word alert', 'word info', 'string "open']);
});

test('a word behind a dot is a name; nothing is lost', () => {
  assert.deepEqual(kinds('plant.action.run()'), []);
  for (const line of ['', 'a', '  x = "ü" + 1.5 // ok', '}']) assert.equal(pieces(line).map(([, text]) => text).join(''), line);
});
