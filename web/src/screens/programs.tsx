// The site's programs: what they own and read, their rules and how these stand.

import { useEffect, useRef } from 'preact/hooks';
import type { Program, Rule } from '../api';
import { age, bytes, whole } from '../format';
import { t } from '../i18n';
import { refreshSite } from '../live';
import { toDevice } from '../router';
import { now, programs, seriesAt } from '../store';

const REFRESH_MS = 5000;

export function ProgramsScreen({ name }: { name: string }) {
  // The feed tells of rules; turns and instructions are only in the site.
  useEffect(() => {
    const timer = setInterval(() => void refreshSite().catch(() => undefined), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.programs}</h1>
      {programs.value.length === 0 && <p class="empty">{t.programs.none}</p>}
      {programs.value.map((p) => <ProgramPanel key={p.name} program={p} chosen={p.name === name} />)}
    </>
  );
}

function ProgramPanel({ program, chosen }: { program: Program; chosen: boolean }) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    if (chosen) panel.current?.scrollIntoView({ block: 'start' });
  }, [chosen]);
  const reads = program.reads.map((i) => seriesAt(i)).filter((s) => s !== undefined);
  return (
    <section class={`panel program ${chosen ? 'chosen' : ''}`} ref={panel} aria-labelledby={`program-${program.name}`}>
      <header>
        <h2 id={`program-${program.name}`}>{program.name}</h2>
        <span class={`chip state-${program.state}`}>{t.programs.state[program.state]}</span>
        <code class="faint">{program.file}:{program.line}</code>
      </header>
      {program.error && <p class="refusal">{program.error}</p>}
      <dl class="facts">
        <dt>{t.programs.owns}</dt>
        <dd class="names">
          {program.owns.length === 0 ? t.programs.ownsNothing : program.owns.map((d) => <a key={d} href={toDevice(d)}>{d}</a>)}
        </dd>
        <dt>{t.programs.reads}</dt>
        <dd class="names">
          {reads.length === 0 ? t.none : reads.map((s) => <a key={s.name} href={toDevice(s.device)}>{s.name}</a>)}
        </dd>
      </dl>
      <h3>{t.programs.rules}</h3>
      <ul class="rules">{program.rules.map((r) => <RuleItem key={r.path} rule={r} />)}</ul>
      <dl class="numbers">
        <div><dt>{t.programs.turns}</dt><dd>{whole(program.turns)}</dd></div>
        <div><dt>{t.programs.instructions}</dt><dd>{whole(program.instructions)}</dd></div>
        <div><dt>{t.programs.perTurn}</dt><dd>{program.turns > 0 ? whole(program.instructions / program.turns) : t.none}</dd></div>
        <div class={program.overruns > 0 ? 'bad' : ''}><dt>{t.programs.overruns}</dt><dd>{whole(program.overruns)}</dd></div>
        <div class={program.traps > 0 ? 'bad' : ''}><dt>{t.programs.traps}</dt><dd>{whole(program.traps)}</dd></div>
        <div><dt>{t.programs.tasks}</dt><dd>{whole(program.tasks)}</dd></div>
        <div><dt>{t.programs.heap}</dt><dd>{t.programs.heapText(bytes(program.heap_bytes), bytes(program.heap_max))}</dd></div>
        <div><dt>{t.programs.pause}</dt><dd>{t.programs.microseconds(whole(program.gc_pause_max_ns / 1000))}</dd></div>
      </dl>
    </section>
  );
}

/** A rule in a `for` stands once for each member: "line_guard/st=plant.oven/when#1" is that of the oven. */
const bindings = (rule: Rule): string[] => rule.path.split('/').slice(1, -1).map((part) => part.replace('=', ' = '));

function RuleItem({ rule }: { rule: Rule }) {
  return (
    <li class={`rule ${rule.state}`} data-rule={rule.path}>
      <span class="dot" aria-hidden="true" />
      <span class="rule-text">
        <code>{rule.text}</code>
        {bindings(rule).map((b) => <span class="chip" key={b}>{b}</span>)}
      </span>
      <span class="rule-state">{t.programs.ruleState[rule.state]}</span>
      <span class="faint">
        {t.programs.fired(rule.fired)}
        {rule.fired > 0 && rule.fired_ms !== null && `, ${t.programs.last(age(now.value - rule.fired_ms))}`}
      </span>
      <span class="faint">{t.alerts.line(rule.line)}</span>
    </li>
  );
}
