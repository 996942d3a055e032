// Choosing a series: a field with suggestions (the combobox pattern of ARIA).

import { useSignal } from '@preact/signals';
import { t } from '../i18n';
import { score } from '../search';

const SHOWN_MAX = 12;

interface Props {
  names: string[];
  chosen: string[];
  onAdd: (name: string) => void;
}

export function SeriesPicker({ names, chosen, onAdd }: Props) {
  const text = useSignal('');
  const open = useSignal(false);
  const at = useSignal(0);
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = names
    .filter((n) => !chosen.includes(n))
    .map((name) => ({ name, s: words.length === 0 ? 1 : score(words, { kind: 'property', title: name, detail: '', href: '', also: '' }) }))
    .filter((x) => x.s > 0)
    .sort((a, b) => b.s - a.s)
    .slice(0, SHOWN_MAX);
  const add = (name: string | undefined) => {
    if (!name) return;
    onAdd(name);
    text.value = '';
    at.value = 0;
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const last = found.length - 1;
    if (event.key === 'ArrowDown') at.value = open.value ? Math.min(last, at.value + 1) : 0;
    else if (event.key === 'ArrowUp') at.value = Math.max(0, at.value - 1);
    else if (event.key === 'Enter') add(found[at.value]?.name);
    else if (event.key === 'Escape' && open.value) {
      open.value = false;
      event.preventDefault();
      return;
    } else return;
    open.value = true;
    event.preventDefault();
  };
  const shown = open.value && found.length > 0;
  return (
    <div class="picker">
      <input
        type="text" role="combobox" autocomplete="off" spellcheck={false} value={text.value} placeholder={t.history.add}
        aria-label={t.history.add} aria-expanded={shown} aria-controls="picker-list" aria-autocomplete="list"
        aria-activedescendant={shown ? `pick-${at.value}` : undefined}
        onInput={(e) => { text.value = e.currentTarget.value; at.value = 0; open.value = true; }}
        onFocus={() => (open.value = true)} onBlur={() => (open.value = false)} onKeyDown={onKey}
      />
      <ul id="picker-list" role="listbox" aria-label={t.history.series} hidden={!shown}>
        {shown && found.map(({ name }, i) => (
          <li key={name} id={`pick-${i}`} role="option" aria-selected={i === at.value} translate={false} onPointerDown={(e) => { e.preventDefault(); add(name); }}>{name}</li>
        ))}
      </ul>
    </div>
  );
}
