// Actions: what was done, why (program, rule, sample, or whose hand), and what came of it.

import type { Action } from '../api';
import { Fragment } from 'preact';
import { duration, moment, plain, shown } from '../format';
import { t } from '../i18n';
import { sayWhy } from '../said';
import { deviceNamed, now } from '../store';
import { toDevice } from '../router';
import { CauseText, SourceText } from './alertlist';

function argText(action: Action, name: string): string {
  const value = action.args[name] ?? null;
  const param = deviceNamed(action.device)
    ?.actions.find((a) => a.name === action.action)
    ?.params.find((p) => p.name === name);
  const text = typeof value === 'number' ? plain(value) : shown(value, null);
  return param?.unit ? `${text}\u202f${param.unit}` : text;
}

export function Outcome({ action }: { action: Action }) {
  const took = action.outcome_ms === null ? null : duration(action.outcome_ms - action.requested_ms);
  return (
    <span class="outcome">
      <span class={`chip state-${action.state}`}>{t.actions.state[action.state]}</span>
      {took && action.state === 'confirmed' && <span>{t.actions.after(took)}</span>}
      {action.attempts > 1 && <span class="faint">{t.actions.attempts(action.attempts)}</span>}
    </span>
  );
}

/** A dotted name that may break behind its dots. */
function Dotted({ name }: { name: string }) {
  return <>{name.split('.').map((part, i) => (i === 0 ? part : <Fragment key={i}>.<wbr />{part}</Fragment>))}</>;
}

interface ItemProps {
  action: Action;
  brief: boolean;
  /** The device whose page this is: its name need not be said again. */
  at: string;
}

function ActionItem({ action, brief, at }: ItemProps) {
  const { by } = action;
  return (
    <li class={`action ${action.state}`} data-action={action.id}>
      <div class="what">
        <p class="text">
          {action.device !== at && <a href={toDevice(action.device)} translate={false}><Dotted name={action.device} /></a>}
          <code translate={false}>{action.device !== at && '.'}{action.action}({Object.keys(action.args).map((n) => argText(action, n)).join(', ')})</code>
        </p>
        <time dateTime={new Date(action.requested_ms).toISOString()}>{moment(action.requested_ms, now.peek())}</time>
      </div>
      <Outcome action={action} />
      <div class="why">
        {by.kind === 'program' ? (
          <SourceText program={by.program} rule={by.rule} line={by.line} />
        ) : (
          <span class="source">{t.actions.byHand(by.name)}</span>
        )}
        {action.cause && <CauseText cause={action.cause} />}
        {action.why && <span class="refusal" translate={false}>{sayWhy(action)}</span>}
        {!brief && action.confirms && <span class="faint">{t.device.confirms(action.confirms)}</span>}
      </div>
    </li>
  );
}

interface ListProps {
  actions: Action[];
  empty: string;
  brief?: boolean;
  at?: string;
}

export function ActionList({ actions, empty, brief = false, at = '' }: ListProps) {
  if (actions.length === 0) return <p class="empty">{empty}</p>;
  return <ul class="actions" data-arrows="y">{actions.map((a) => <ActionItem key={a.id} action={a} brief={brief} at={at} />)}</ul>;
}
