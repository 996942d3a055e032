import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem, type Alert, type ProblemBody } from './api';
import { language } from './i18n';
import { alertText, sayError, sayWhy } from './said';

const problem = (body: Partial<ProblemBody>) => new Problem(body.status ?? 400, body.detail ?? '', body);
const owned = problem({ type: '/problems/owned', detail: 'plant.valve is owned by guard', owner: 'guard' });
const parameter = problem({ type: '/problems/parameter', detail: '"for_ms" must be a number', parameter: 'for_ms' });

test('a refusal is said in the language of the reader, with what only the server knows', () => {
  language.value = 'en';
  assert.equal(sayError(owned), 'plant.valve is owned by guard');
  language.value = 'zh';
  assert.equal(sayError(owned), '该设备归 guard 所有，或正由他人使用。');
  assert.equal(sayError(parameter), '参数 for_ms 不符合要求："for_ms" must be a number');
  assert.equal(sayError(problem({ type: 'about:blank', detail: 'there is no /x here' })), 'there is no /x here');
  assert.equal(sayError(new TypeError('Failed to fetch')), '服务器没有应答。');
  language.value = 'en';
  assert.equal(sayError(new TypeError('Failed to fetch')), 'The server does not answer.');
});

const told = (says: Alert['says']) => ({ text: 'in English', says });

test('an alert of a program stays as it is; one of sedge is translated as far as its code goes', () => {
  const valve = told({ code: 'not-obeyed', device: 'plant.valve', action: 'open', reason: 'unconfirmed', attempts: 3, confirms: 'position > 90 %', detail: '', left: '' });
  assert.equal(alertText(valve), 'in English');
  language.value = 'zh';
  assert.equal(alertText(told(null)), 'in English');
  assert.equal(alertText(told({ code: 'of-next-year' })), 'in English');
  assert.equal(alertText(valve), 'plant.valve 没有服从 open()：已发送 3 次，仍未达到 position > 90 %');
  assert.equal(alertText(told({ code: 'program-stopped', program: 'guard', detail: 'stack overflow' })), '程序 guard 已停止：stack overflow');
  assert.equal(alertText(told({ code: 'not-commanded', device: 'd', action: 'a', reason: 'not-sent', detail: 'the line is cut', left: 'unit 3' })), '未能命令 d 执行 a()（站点已不再有该设备，unit 3）：未能发送：the line is cut');
  language.value = 'en';
});

test('why an action came to nothing', () => {
  const action = { why: 'is refused by the device: busy', reason: 'refused' as const, detail: 'busy', attempts: 1, confirms: null };
  assert.equal(sayWhy(action), action.why);
  language.value = 'zh';
  assert.equal(sayWhy(action), '设备拒绝执行：busy');
  assert.equal(sayWhy({ ...action, reason: null }), action.why);
  language.value = 'en';
});
