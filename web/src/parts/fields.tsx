// The values that were seen on topics, each with its line over time.

import { useSignal } from '@preact/signals';
import type { Field, Topic, Value } from '../api';
import { shown } from '../format';
import { t } from '../i18n';
import { MiniChart } from './minichart';

const FIELDS_SHOWN = 8;

const fieldText = (v: Value | null): string => (typeof v === 'number' ? String(v) : shown(v, null));

/** What is said beside the line: how far it went, or which words came. */
function reachOf(f: Field): string {
  if (f.min !== null && f.max !== null) return f.min === f.max ? '' : `${f.min} … ${f.max}`;
  return f.words && f.words.length > 1 ? f.words.join(' · ') : '';
}

/** What tells the topics of one thing apart: the levels behind those that all of them have; a bare number is no name. */
export function tailOf(topic: string, all: string[]): string {
  const levels = topic.split('/');
  const others = all.filter((x) => x !== topic).map((x) => x.split('/'));
  let same = 0;
  while (same < levels.length - 1 && others.every((o) => o[same] === levels[same])) same++;
  if (same > 0 && /^\d*$/.test(levels[same] ?? '')) same--;
  return levels.slice(same).join('/');
}

interface Named {
  /** Of the topic; empty if the path alone tells which one it is. */
  place: string;
  field: Field;
}

/** The values of all topics of one thing: what can be drawn first, and words behind. */
export function namedFields(topics: Topic[]): Named[] {
  const spoken = topics.filter((x) => (x.fields ?? []).length > 0);
  const names = spoken.map((x) => x.topic);
  const paths = spoken.flatMap((x) => x.fields.map((f) => f.path));
  const needsPlace = (path: string) => names.length > 1 && (path === '' || paths.indexOf(path) !== paths.lastIndexOf(path));
  const all = spoken.flatMap((x) => x.fields.map((field) => ({ place: needsPlace(field.path) ? tailOf(x.topic, names) : '', field })));
  return [...all.filter((x) => x.field.type !== 'text'), ...all.filter((x) => x.field.type === 'text')];
}

export function Fields({ topics }: { topics: Topic[] }) {
  const open = useSignal(false);
  const all = namedFields(topics);
  const left = topics.reduce((n, x) => n + (x.fields_left_out ?? 0), 0);
  const fields = open.value ? all : all.slice(0, FIELDS_SHOWN);
  if (all.length === 0) return null;
  return (
    <div class="fields-of">
      <ul class="field-list">{fields.map((x) => <FieldItem key={`${x.place} ${x.field.path}`} {...x} />)}</ul>
      {fields.length < all.length && <button type="button" class="link" onClick={() => (open.value = true)}>{t.discovered.more(all.length - fields.length)}</button>}
      {left > 0 && fields.length === all.length && <p class="faint">{t.discovered.more(left)}</p>}
    </div>
  );
}

function FieldItem({ place, field: f }: Named) {
  const unnamed = f.path === '' && place === '';
  return (
    <li data-field={f.path} class={f.type === 'text' ? 'words' : ''}>
      <code translate={unnamed} title={`${place} ${f.path}`.trim() || undefined}>
        {place && <span class="whose">{place}{f.path && ' '}</span>}
        {unnamed ? t.discovered.value : f.path}
      </code>
      {f.type !== 'text' && <MiniChart values={f.values} stepped={f.type === 'boolean'} />}
      <b translate={typeof f.last === 'boolean'}>{fieldText(f.last)}</b>
      <span class="faint" translate={false}>{reachOf(f)}</span>
    </li>
  );
}
