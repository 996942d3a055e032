// A program's source with its rules' states beside their lines.

import { useEffect, useRef } from 'preact/hooks';
import type { Rule, SourceText } from '../api';
import { age } from '../format';
import { pieces } from '../highlight';
import { t } from '../i18n';
import { now } from '../store';

/** A rule in a `for` stands once for each member: "line_guard/st=plant.oven/when#1" is that of the oven. */
export const bindings = (rule: Rule): string[] => rule.path.split('/').slice(1, -1).map((part) => part.replace('=', ' = '));

const worst = (rules: Rule[]): Rule['state'] => (['active', 'holding'] as const).find((s) => rules.some((r) => r.state === s)) ?? 'idle';

export function Source({ source, rules, line }: { source: SourceText; rules: Rule[]; line: number | null }) {
  const chosen = useRef<HTMLLIElement>(null);
  useEffect(() => {
    chosen.current?.scrollIntoView({ block: 'center' });
  }, [line]);
  const lines = source.text.replace(/\n$/, '').split('\n');
  return (
    <ol class="source-lines" start={source.first_line} tabIndex={0} aria-label={t.programs.source}>
      {lines.map((text, i) => {
        const number = source.first_line + i;
        const own = rules.filter((r) => r.line === number);
        return (
          <li key={number} value={number} ref={number === line ? chosen : null} class={`${own.length > 0 ? `with-rule ${worst(own)}` : ''} ${number === line ? 'chosen' : ''}`} data-line={number}>
            <span class="number" aria-hidden="true">{number}</span>
            <i class="dot" aria-hidden="true" />
            <code translate={false}>{text === '' ? ' ' : pieces(text).map(([kind, part], k) => (kind === 'plain' ? part : <span key={k} class={kind}>{part}</span>))}</code>
            {own.length > 0 && <span class="states">{own.map((r) => <RuleState key={r.path} rule={r} />)}</span>}
          </li>
        );
      })}
    </ol>
  );
}

export function RuleState({ rule }: { rule: Rule }) {
  const whose = bindings(rule).map((b) => b.slice(b.indexOf('= ') + 2)).join(' ');
  return (
    <span class={`rule ${rule.state}`} data-rule={rule.path}>
      <span class="whose" translate={false}>{whose}</span>{' '}
      <span class="rule-state">{t.programs.ruleState[rule.state]}</span>{' '}
      <span class="faint fired">
        {t.programs.fired(rule.fired)}
        {rule.fired > 0 && rule.fired_ms !== null && ` · ${t.programs.last(age(now.value - rule.fired_ms))}`}
      </span>
    </span>
  );
}
