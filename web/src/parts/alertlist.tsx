// Alerts: what, since when, which sample caused it, which rule said so.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { acknowledge, unshelve, type Alert, type Cause } from '../api';
import { age, moment } from '../format';
import { t } from '../i18n';
import { toDevice, toProgram, toProperty } from '../router';
import { alertText, sayError } from '../said';
import { applyAlerts, isOver, isShelved, now, ruleOf, seriesNamed } from '../store';
import { Icon } from './icons';
import { whoAmI } from './name';
import { shelving } from './shelve';
import { Ago, seriesText } from './value';

const canAcknowledge = (a: Alert): boolean => a.state === 'unacknowledged' || a.state === 'returned';

export function CauseText({ cause }: { cause: Cause }) {
  const series = seriesNamed(cause.series);
  return (
    <span class="cause">
      {series ? <a href={toProperty(series.device, series.property.name)} translate={false}>{cause.series}</a> : <span translate={false}>{cause.series}</span>}{' '}
      <b translate={typeof cause.value === 'boolean'}>{seriesText(cause.series, cause.value)}</b>{' '}
      {cause.ts_ms !== null && <time dateTime={new Date(cause.ts_ms).toISOString()}>{moment(cause.ts_ms, now.peek())}</time>}
    </span>
  );
}

export function SourceText({ program, rule, line }: { program: string; rule: string | null; line: number | null }) {
  const known = ruleOf(program, rule);
  return (
    <span class="source">
      <a href={toProgram(program, line)} translate={false}>{program}</a>
      {known && <code translate={false}>{known.until ? `${known.text} … ${known.until}` : known.text}</code>}
      {line !== null && line > 0 ? <span class="faint">{t.alerts.line(line)}</span> : line === 0 && <span class="faint">{t.actions.letGo}</span>}
    </span>
  );
}

export function AlertItem({ alert, brief = false }: { alert: Alert; brief?: boolean }) {
  const busy = useSignal(false);
  const failed = useSignal<string | null>(null);
  const item = useRef<HTMLLIElement>(null);
  const send = async (request: (by: string) => Promise<Alert>) => {
    const name = await whoAmI();
    if (!name) return;
    busy.value = true;
    failed.value = null;
    // What was pressed goes away with the answer: the focus stays in the list.
    const next = (item.current?.nextElementSibling ?? item.current?.previousElementSibling) as HTMLElement | null;
    const list = item.current?.parentElement;
    try {
      applyAlerts([await request(name)]);
      requestAnimationFrame(() => {
        if (document.activeElement !== document.body) return;
        const stay = item.current?.isConnected ? item.current : next?.isConnected ? next : list;
        (stay?.isConnected ? stay : document.getElementById('main'))?.focus();
      });
    } catch (error) {
      // 409: somebody else was quicker; the feed brings who.
      failed.value = sayError(error);
    }
    busy.value = false;
  };
  return (
    <li class={`alert ${alert.severity} ${alert.state} ${isShelved(alert) ? 'shelved' : ''}`} data-alert={alert.id} ref={item} tabIndex={-1}>
      <Icon name={alert.severity} class="severity" />
      <div class="body">
        <p class="text">
          <span class="unseen">{t.alerts.severity[alert.severity]}: </span>
          <span translate={false}>{alertText(alert)}</span>
          {alert.count > 1 && <span class="chip">{t.alerts.times(alert.count)}</span>}
        </p>
        <Meta alert={alert} />
        {!brief && <Facts alert={alert} />}
        {failed.value && <p class="refusal" role="alert" translate={false}>{failed.value}</p>}
      </div>
      <div class="alert-buttons">
        {canAcknowledge(alert) && (
          <button type="button" class="acknowledge" disabled={busy.value} onClick={() => void send((by) => acknowledge(alert.id, by))}>
            <Icon name="check" /> {t.alerts.acknowledge}
            <span class="unseen" translate={false}>: {alertText(alert)}</span>
          </button>
        )}
        {!brief && !isOver(alert) && !isShelved(alert) && (
          <button type="button" class="shelve" onClick={() => (shelving.value = alert)}>
            <Icon name="shelve" /> {t.alerts.shelve}
            <span class="unseen" translate={false}>: {alertText(alert)}</span>
          </button>
        )}
        {isShelved(alert) && (
          <button type="button" class="unshelve" disabled={busy.value} onClick={() => void send((by) => unshelve(alert.id, by))}>
            {t.alerts.unshelve}
            <span class="unseen" translate={false}>: {alertText(alert)}</span>
          </button>
        )}
      </div>
    </li>
  );
}

function Meta({ alert }: { alert: Alert }) {
  const until = alert.shelved_until_ms ?? null;
  return (
    <>
      <p class="meta">
        <span class="state">{t.alerts.state[alert.state]}</span>
        <time dateTime={new Date(alert.raised_ms).toISOString()} title={moment(alert.raised_ms, 0)}>
          {isOver(alert) ? moment(alert.raised_ms, now.peek()) : <Ago ms={alert.raised_ms} />}
        </time>
        {alert.cleared_ms !== null && <span>{t.alerts.cleared(moment(alert.cleared_ms, now.peek()))}</span>}
        {alert.acknowledged_by !== null && alert.acknowledged_ms !== null && (
          <span>{t.alerts.acknowledged(alert.acknowledged_by, moment(alert.acknowledged_ms, now.peek()))}</span>
        )}
      </p>
      {until !== null && (
        <p class="meta shelf">
          <span><Icon name="shelve" /> {t.alerts.shelvedUntil(alert.shelved_by ?? t.none, moment(until, now.peek()), age(until - now.value))}</span>
          {alert.shelved_why && <q translate={false}>{alert.shelved_why}</q>}
        </p>
      )}
    </>
  );
}

function Facts({ alert }: { alert: Alert }) {
  const { source } = alert;
  return (
    <dl class="facts">
      {alert.cause && (
        <>
          <dt>{t.alerts.cause}</dt>
          <dd><CauseText cause={alert.cause} /></dd>
        </>
      )}
      <dt>{t.alerts.source}</dt>
      <dd>
        {source.program ? <SourceText program={source.program} rule={source.rule} line={source.line} /> : <span translate={false}>{t.alerts.system}</span>}
      </dd>
      {source.device && seriesNamed(alert.cause?.series ?? '')?.device !== source.device && (
        <>
          <dt>{t.nav.device}</dt>
          <dd><a href={toDevice(source.device)} translate={false}>{source.device}</a></dd>
        </>
      )}
    </dl>
  );
}

export function AlertList({ alerts, empty, brief = false }: { alerts: Alert[]; empty: string; brief?: boolean }) {
  if (alerts.length === 0) return <p class="empty">{empty}</p>;
  return <ul class="alerts" data-arrows="y" tabIndex={-1}>{alerts.map((a) => <AlertItem key={a.id} alert={a} brief={brief} />)}</ul>;
}
