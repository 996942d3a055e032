// One program: what it owns and reads, its source with the rules' states, and
// how it does.

import { useEffect } from 'preact/hooks';
import { getSource, type Program } from '../api';
import { bytes, whole } from '../format';
import { t } from '../i18n';
import { refreshSite } from '../live';
import { usePolled } from '../parts/poll';
import { RuleState, Source } from '../parts/source';
import { route, toDevice, toProperty } from '../router';
import { programs, seriesAt, siteTaken } from '../store';

const REFRESH_MS = 5000;

/** The feed tells of rules; turns and instructions are only in the site. */
export function useFreshSite(): void {
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && void refreshSite().catch(() => undefined), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
}

export function ProgramScreen({ name }: { name: string }) {
  useFreshSite();
  const program = programs.value.find((p) => p.name === name);
  if (!program) {
    return (
      <>
        <h1 tabIndex={-1} translate={!name}>{name || t.programs.program}</h1>
        <p class="empty">{t.programs.unknown(name)}</p>
      </>
    );
  }
  return (
    <>
      <header class="title">
        <h1 tabIndex={-1} translate={false}>{program.name}</h1>
        <span class={`chip state-${program.state}`}>{t.programs.state[program.state]}</span>
        <code class="faint" translate={false}>{program.file}:{program.line}</code>
        <a class="aside-link" href="#/programs">{t.programs.all}</a>
      </header>
      {program.error && <p class="refusal" translate={false}>{program.error}</p>}
      <section class="panel" aria-label={t.programs.program}>
        <Uses program={program} />
      </section>
      <Listing key={name} program={program} />
      <section class="panel" aria-labelledby="statistics">
        <h2 id="statistics">{t.programs.statistics}</h2>
        <Numbers program={program} />
      </section>
    </>
  );
}

function Uses({ program }: { program: Program }) {
  const reads = program.reads.map((i) => seriesAt(i)).filter((s) => s !== undefined);
  return (
    <dl class="facts">
      <dt>{t.programs.owns}</dt>
      <dd class="names">
        {program.owns.length === 0 ? t.programs.ownsNothing : program.owns.map((d) => <a key={d} href={toDevice(d)} translate={false}>{d}</a>)}
      </dd>
      <dt>{t.programs.reads}</dt>
      <dd class="names">
        {reads.length === 0 ? t.none : reads.map((s) => <a key={s.name} href={toProperty(s.device, s.property.name)} translate={false}>{s.name}</a>)}
      </dd>
    </dl>
  );
}

function Listing({ program }: { program: Program }) {
  const { value: source, why } = usePolled(() => getSource(program.name), 0, siteTaken.value).value;
  const line = Number(route.value.query.get('line')) || null;
  return (
    <section class="panel listing" aria-labelledby="source">
      <h2 id="source">{t.programs.source}</h2>
      {why && (
        <>
          <p class="refusal">{t.programs.sourceFailed(why)}</p>
          <ul class="rules">{program.rules.map((r) => <li key={r.path}><code translate={false}>{r.text}</code> <RuleState rule={r} /></li>)}</ul>
        </>
      )}
      {source ? <Source source={source} rules={program.rules} line={line} /> : !why && <p class="empty">{t.programs.sourceLoading}</p>}
    </section>
  );
}

function Numbers({ program }: { program: Program }) {
  const p = t.programs;
  const numbers: [string, string, boolean][] = [
    [p.turns, whole(program.turns), false],
    [p.instructions, whole(program.instructions), false],
    [p.perTurn, program.turns > 0 ? whole(program.instructions / program.turns) : t.none, false],
    [p.overruns, whole(program.overruns), program.overruns > 0],
    [p.traps, whole(program.traps), program.traps > 0],
    [p.tasks, whole(program.tasks), false],
    [p.heap, p.heapText(bytes(program.heap_bytes), bytes(program.heap_max)), false],
    [p.pause, p.microseconds(whole(program.gc_pause_max_ns / 1000)), false],
  ];
  return <dl class="numbers">{numbers.map(([k, v, bad]) => <div key={k} class={bad ? 'bad' : ''}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>;
}
