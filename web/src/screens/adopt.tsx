// From a topic to a device of the site: the server proposes declarations, the
// reader changes what is known better, sees what changes in which file, and
// applies it.

import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { adopt, getTopic, Problem, type AdoptAnswer, type ChangedFile } from '../api';
import { t } from '../i18n';
import { Diff } from '../parts/diff';
import { Fields } from '../parts/fields';
import { Icon } from '../parts/icons';
import { usePolled } from '../parts/poll';
import { route, toAdopt, toDevice } from '../router';
import { sayError } from '../said';
import { adoptable, site, topics } from '../store';

const REFRESH_MS = 3000;
/** So long after the last key a changed name is asked for. */
const NAMED_AFTER_MS = 400;
const NAME = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;

interface Refusal {
  text: string;
  report: string | null;
  leftChanged: boolean;
}

interface Work {
  state: 'asking' | 'ready' | 'applying' | 'applied';
  answer: AdoptAnswer | null;
  /** Of the text as it was asked or checked last. */
  files: ChangedFile[];
  refusal: Refusal | null;
}

const START: Work = { state: 'asking', answer: null, files: [], refusal: null };

function refusalOf(error: unknown): Refusal {
  if (error instanceof Problem) return { text: sayError(error), report: error.report, leftChanged: error.type === '/problems/left-changed' };
  return { text: sayError(error), report: null, leftChanged: false };
}

export function AdoptScreen({ topic }: { topic: string }) {
  const work = useSignal<Work>(START);
  const text = useSignal('');
  const checked = useSignal('');
  const device = useSignal('');
  const model = useSignal('');
  const heading = useRef<HTMLHeadingElement>(null);
  const asked = useRef(0);
  const proposed = useRef('');
  const named = useRef<ReturnType<typeof setTimeout>>(undefined);

  /** One question at a time: an answer to an older one is not looked at. */
  const ask = async (change: { text: string | null; apply: boolean }) => {
    const mine = ++asked.current;
    clearTimeout(named.current);
    const as = { device: device.peek(), model: model.peek() };
    work.value = { ...work.peek(), state: change.apply ? 'applying' : 'asking', refusal: null };
    // The reader's own text, not yet checked, is written as it stands: nobody else has a hand in it.
    const shown = text.peek() === checked.peek() ? (work.peek().answer?.shown ?? null) : null;
    const own = change.text !== null && work.peek().answer?.editable === false ? null : change.text;
    try {
      const answer = await adopt({ topics: [topic], device: as.device || null, model: as.model || null, text: own, shown, apply: change.apply });
      if (mine !== asked.current) return;
      if (change.text === null) text.value = proposed.current = answer.text;
      checked.value = text.peek();
      // Who types on meanwhile is not interrupted.
      if (change.text === null && answer.device && device.peek() === as.device) device.value = answer.device;
      if (change.text === null && answer.model && model.peek() === as.model) model.value = answer.model;
      work.value = { state: answer.applied ? 'applied' : 'ready', answer, files: answer.files, refusal: null };
      if (answer.applied) requestAnimationFrame(() => heading.current?.focus());
    } catch (error) {
      if (mine !== asked.current) return;
      if (error instanceof Problem && error.type === '/problems/not-shown') {
        await ask({ text: own, apply: false });
        if (asked.current === mine + 1) work.value = { ...work.peek(), refusal: work.peek().refusal ?? refusalOf(error) };
        return;
      }
      const files = error instanceof Problem ? error.files : [];
      work.value = { ...work.peek(), state: 'ready', files, refusal: refusalOf(error) };
      checked.value = text.peek();
    }
  };
  useEffect(() => {
    const wanted = route.peek().query.get('device');
    if (wanted) device.value = wanted;
    void ask({ text: null, apply: false });
    return () => clearTimeout(named.current);
  }, []);
  /** A name that was changed is put into the proposal, unless the reader has changed the text: that is not thrown away. */
  const rename = () => {
    clearTimeout(named.current);
    if (text.peek() === proposed.current && NAME.test(device.peek())) named.current = setTimeout(() => void ask({ text: null, apply: false }), NAMED_AFTER_MS);
  };

  const { state, answer } = work.value;
  if (state === 'applied' && answer) return <Applied answer={answer} files={work.value.files} heading={heading} />;
  const busy = state === 'asking' || state === 'applying';
  const dirty = text.value !== checked.value;
  const unnamed = answer !== null && namesDiffer(answer, device.value, model.value);
  return (
    <>
      <header class="title">
        <h1 tabIndex={-1} ref={heading}>{t.nav.adopt} <code translate={false}>{topic}</code></h1>
        <a class="aside-link" href="#/discovered">{t.nav.discovered}</a>
      </header>
      <Seen topic={topic} />
      {answer && <Names device={device} model={model} answer={answer} busy={busy} changed={unnamed} rename={rename} again={() => void ask({ text: null, apply: false })} />}
      <div class="adopt-columns" aria-busy={busy}>
        <section class="panel" aria-labelledby="declarations">
          <h2 id="declarations">{t.adopt.text}</h2>
          <p class="faint">{answer?.device_exists ? t.adopt.existing : t.adopt.textExplain}</p>
          {answer && (
            <textarea
              aria-labelledby="declarations" spellcheck={false} rows={Math.min(28, text.value.split('\n').length + 1)} value={text.value} readOnly={!answer.editable} translate={false}
              onInput={(e) => (text.value = e.currentTarget.value)}
              onKeyDown={(e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); void ask({ text: text.peek(), apply: false }); } }}
            />
          )}
          <div class="buttons start">
            <button type="button" disabled={busy || !dirty} onClick={() => void ask({ text: text.peek(), apply: false })}>{t.adopt.check}</button>
            <button type="button" class="primary apply" disabled={busy || !answer || unnamed} onClick={() => void ask({ text: text.peek(), apply: true })}>{state === 'applying' ? t.adopt.applying : t.adopt.apply}</button>
          </div>
        </section>
        <section class="panel" aria-labelledby="changes">
          <h2 id="changes">{t.adopt.changes}</h2>
          <div role="status">
            {state === 'asking' && <p class="faint">{t.adopt.asking}</p>}
            {unnamed && !busy && text.value !== proposed.current && <p class="faint">{t.adopt.unnamed}</p>}
            {dirty && !busy && <p class="faint">{t.adopt.unchecked}</p>}
          </div>
          {work.value.refusal && <Refused refusal={work.value.refusal} />}
          {answer && <Warnings answer={answer} />}
          {(answer || work.value.files.length > 0) && <Diff files={work.value.files} />}
        </section>
      </div>
    </>
  );
}

/** What comes on the topic, while it is nobody's. */
function Seen({ topic }: { topic: string }) {
  const seen = usePolled(() => getTopic(topic), REFRESH_MS).value.value ?? topics.value.find((x) => x.topic === topic);
  return seen ? <section class="panel seen" aria-label={t.devices.values}><Fields topics={[seen]} /></section> : null;
}

/** Whether the fields say what the proposal does not. */
function namesDiffer(answer: AdoptAnswer, device: string, model: string): boolean {
  return (answer.device !== null && device !== answer.device) || (answer.model !== null && model !== answer.model);
}

interface NamesProps {
  device: Signal<string>;
  model: Signal<string>;
  answer: AdoptAnswer;
  busy: boolean;
  changed: boolean;
  rename: () => void;
  again: () => void;
}

function Names({ device, model, answer, busy, changed, rename, again }: NamesProps) {
  const models = [...new Set(site.value?.devices.map((d) => d.model) ?? [])];
  const bad = !NAME.test(device.value);
  return (
    <form class="panel names-form" onSubmit={(e) => { e.preventDefault(); if (!bad) again(); }}>
      <label>{t.adopt.device} <input name="device" required autocomplete="off" spellcheck={false} value={device.value} aria-invalid={bad} onInput={(e) => { device.value = e.currentTarget.value; rename(); }} /></label>
      <label>
        {t.adopt.model} {answer.model_exists && !changed && <span class="faint">({t.adopt.modelExists})</span>}
        <input name="model" autocomplete="off" spellcheck={false} list="models" value={model.value} onInput={(e) => { model.value = e.currentTarget.value; rename(); }} />
      </label>
      <datalist id="models">{models.map((m) => <option key={m} value={m} />)}</datalist>
      <button type="submit" disabled={busy || bad || !changed}>{t.adopt.again}</button>
      {bad && <p class="refusal" role="alert">{t.adopt.badName}</p>}
      <p class="faint topics-of">{t.adopt.topics}: {answer.topics.map((x) => <code key={x} translate={false}>{x} </code>)}</p>
    </form>
  );
}

function Refused({ refusal }: { refusal: Refusal }) {
  return (
    <div class="refused" role="alert">
      <p class="refusal"><b>{refusal.leftChanged ? t.adopt.leftChanged : t.adopt.refused}.</b> <span translate={false}>{refusal.text}</span></p>
      {refusal.report && <pre translate={false}>{refusal.report}</pre>}
    </div>
  );
}

function Warnings({ answer }: { answer: AdoptAnswer }) {
  return (
    <>
      {answer.warnings.length > 0 && (
        <div class="warnings">
          <h3><Icon name="warning" /> {t.adopt.warnings}</h3>
          <ul translate={false}>{answer.warnings.map((w) => <li key={w}>{w}</li>)}</ul>
        </div>
      )}
      {answer.left_out.length > 0 && (
        <details class="left-out">
          <summary>{t.adopt.leftOut} <span class="count">{answer.left_out.length}</span></summary>
          <ul translate={false}>{answer.left_out.map((x) => <li key={`${x.topic} ${x.path}`}><code>{x.topic} {x.path}</code> {x.why}</li>)}</ul>
        </details>
      )}
    </>
  );
}

function Applied({ answer, files, heading }: { answer: AdoptAnswer; files: ChangedFile[]; heading: { current: HTMLHeadingElement | null } }) {
  const next = adoptable.value.find((x) => !x.topics.some((topic) => answer.topics.includes(topic)));
  // The reader may have given it another name in the text.
  const device = answer.device ?? /^\s*device\s+([\w.]+)/m.exec(answer.text)?.[1] ?? null;
  return (
    <>
      <h1 tabIndex={-1} ref={heading} class="done"><Icon name="check" /> {t.adopt.applied(device ?? answer.topics.join(', '))}</h1>
      <p class="buttons start">
        {device && <a class="button primary" href={toDevice(device)}>{t.adopt.open(device)}</a>}
        {next?.adopt && <a class="button" href={toAdopt(next.adopt)}>{t.adopt.next}: <span translate={false}>{next.name}</span></a>}
      </p>
      <section class="panel" aria-labelledby="changes">
        <h2 id="changes">{t.adopt.changes}</h2>
        <Diff files={files} />
      </section>
    </>
  );
}
