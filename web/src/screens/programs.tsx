// The site's programs, one line each, and the site's tests.

import type { Program } from '../api';
import { whole } from '../format';
import { t } from '../i18n';
import { Tests } from '../parts/tests';
import { toDevice, toProgram } from '../router';
import { programs } from '../store';
import { useFreshSite } from './program';

export function ProgramsScreen() {
  useFreshSite();
  const p = t.programs;
  return (
    <>
      <h1 tabIndex={-1}>{t.nav.programs}</h1>
      <section class="panel" aria-label={t.nav.programs}>
        {programs.value.length === 0 ? (
          <p class="empty">{p.none}</p>
        ) : (
          <table class="stack wide programs">
            <thead>
              <tr>
                {[p.program, p.stateName, p.activeRules, p.owns].map((h) => <th scope="col" key={h}>{h}</th>)}
                {[p.turns, p.perTurn, p.traps].map((h) => <th scope="col" class="end" key={h}>{h}</th>)}
              </tr>
            </thead>
            <tbody data-arrows="y">{programs.value.map((x) => <Row key={x.name} program={x} />)}</tbody>
          </table>
        )}
      </section>
      <Tests />
    </>
  );
}

function Row({ program }: { program: Program }) {
  const p = t.programs;
  const active = program.rules.filter((r) => r.state === 'active');
  return (
    <tr data-program={program.name}>
      <th scope="row">
        <a class="row-link" href={toProgram(program.name)} translate={false}>{program.name}</a>{' '}
        <code class="faint" translate={false}>{program.file}:{program.line}</code>
        {program.error && <p class="refusal" translate={false}>{program.error}</p>}
      </th>
      <td data-label={p.stateName}><span class={`chip state-${program.state}`}>{p.state[program.state]}</span></td>
      <td data-label={p.activeRules}>
        <span class={active.length > 0 ? 'some-active' : 'faint'}>{active.length}</span><span class="faint"> / {program.rules.length}</span>
      </td>
      <td data-label={p.owns}>
        <span class="names">
          {program.owns.length === 0 ? <span class="faint">{t.none}</span> : program.owns.map((d) => <a key={d} href={toDevice(d)} translate={false}>{d}</a>)}
        </span>
      </td>
      <td class="end" data-label={p.turns}>{whole(program.turns)}</td>
      <td class="end" data-label={p.perTurn}>{program.turns > 0 ? whole(program.instructions / program.turns) : t.none}</td>
      <td class={`end ${program.traps > 0 ? 'bad' : ''}`} data-label={p.traps}>{whole(program.traps)}</td>
    </tr>
  );
}
