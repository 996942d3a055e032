// Tabs as ARIA has them: arrows choose, Tab goes on into what is chosen.

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';

export interface Tab {
  id: string;
  name: string;
  count: number | null;
}

interface Props {
  label: string;
  tabs: Tab[];
  chosen: string;
  onChoose: (id: string) => void;
  children: ComponentChildren;
}

export function Tabs({ label, tabs, chosen, onChoose, children }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent) => {
    const at = tabs.findIndex((x) => x.id === chosen);
    const last = tabs.length - 1;
    const to = { ArrowLeft: at > 0 ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last }[event.key];
    const next = to === undefined ? undefined : tabs[to];
    if (!next || to === undefined) return;
    event.preventDefault();
    onChoose(next.id);
    (list.current?.children[to] as HTMLElement | undefined)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKey}>
        {tabs.map((x) => (
          <button type="button" role="tab" key={x.id} id={`tab-${x.id}`} aria-selected={x.id === chosen} aria-controls={x.id === chosen ? `panel-${x.id}` : undefined} tabIndex={x.id === chosen ? 0 : -1} onClick={() => onChoose(x.id)}>
            {x.name} {x.count !== null && <span class="count">{x.count}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`panel-${chosen}`} aria-labelledby={`tab-${chosen}`} class="panel">{children}</div>
    </>
  );
}
