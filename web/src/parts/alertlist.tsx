// Alerts: what, since when, which sample caused it, which rule said so.

import { useSignal } from '@preact/signals';
import { acknowledge, Problem, type Alert, type Cause } from '../api';
import { moment } from '../format';
import { t } from '../i18n';
import { toDevice, toProgram } from '../router';
import { applyAlerts, now, ruleOf, seriesNamed } from '../store';
import { Icon } from './icons';
import { whoAmI } from './name';
import { Ago, seriesText } from './value';

const canAcknowledge = (a: Alert): boolean => a.state === 'unacknowledged' || a.state === 'returned';

export function CauseText({ cause }: { cause: Cause }) {
  const series = seriesNamed(cause.series);
  return (
    <span class="cause">
      {series ? <a href={toDevice(series.device)}>{cause.series}</a> : cause.series}{' '}
      <b>{seriesText(cause.series, cause.value)}</b>{' '}
      <time dateTime={new Date(cause.ts_ms).toISOString()}>{moment(cause.ts_ms, now.peek())}</time>
    </span>
  );
}

export function SourceText({ program, rule, line }: { program: string; rule: string | null; line: number | null }) {
  const known = ruleOf(program, rule);
  return (
    <span class="source">
      <a href={toProgram(program)}>{program}</a>
      {known && <code>{known.text}</code>}
      {line !== null && line > 0 && <span class="faint">{t.alerts.line(line)}</span>}
    </span>
  );
}

export function AlertItem({ alert, brief = false }: { alert: Alert; brief?: boolean }) {
  const busy = useSignal(false);
  const failed = useSignal<string | null>(null);
  const send = async () => {
    const name = await whoAmI();
    if (!name) return;
    busy.value = true;
    failed.value = null;
    try {
      applyAlerts([await acknowledge(alert.id, name)]);
    } catch (error) {
      // 409: somebody else was quicker; the feed brings who.
      failed.value = error instanceof Problem || error instanceof Error ? error.message : String(error);
    }
    busy.value = false;
  };
  const { source } = alert;
  return (
    <li class={`alert ${alert.severity} ${alert.state}`} data-alert={alert.id}>
      <Icon name={alert.severity} class="severity" />
      <div class="body">
        <p class="text">
          <span class="unseen">{t.alerts.severity[alert.severity]}: </span>
          {alert.text}
          {alert.count > 1 && <span class="chip">{t.alerts.times(alert.count)}</span>}
        </p>
        <p class="meta">
          <span class="state">{t.alerts.state[alert.state]}</span>
          <time dateTime={new Date(alert.raised_ms).toISOString()} title={moment(alert.raised_ms, 0)}>
            {alert.state === 'normal' ? moment(alert.raised_ms, now.peek()) : <Ago ms={alert.raised_ms} />}
          </time>
          {alert.cleared_ms !== null && <span>{t.alerts.cleared(moment(alert.cleared_ms, now.peek()))}</span>}
          {alert.acknowledged_by !== null && alert.acknowledged_ms !== null && (
            <span>{t.alerts.acknowledged(alert.acknowledged_by, moment(alert.acknowledged_ms, now.peek()))}</span>
          )}
        </p>
        {!brief && (
          <dl class="facts">
            {alert.cause && (
              <>
                <dt>{t.alerts.cause}</dt>
                <dd><CauseText cause={alert.cause} /></dd>
              </>
            )}
            <dt>{t.alerts.source}</dt>
            <dd>
              {source.program ? <SourceText program={source.program} rule={source.rule} line={source.line} /> : t.alerts.system}
            </dd>
            {source.device && seriesNamed(alert.cause?.series ?? '')?.device !== source.device && (
              <>
                <dt>{t.nav.device}</dt>
                <dd><a href={toDevice(source.device)}>{source.device}</a></dd>
              </>
            )}
          </dl>
        )}
        {failed.value && <p class="refusal" role="alert">{failed.value}</p>}
      </div>
      {canAcknowledge(alert) && (
        <button type="button" class="acknowledge" disabled={busy.value} onClick={() => void send()}>
          <Icon name="check" /> {t.alerts.acknowledge}
          <span class="unseen">: {alert.text}</span>
        </button>
      )}
    </li>
  );
}

export function AlertList({ alerts, empty, brief = false }: { alerts: Alert[]; empty: string; brief?: boolean }) {
  if (alerts.length === 0) return <p class="empty">{empty}</p>;
  return <ul class="alerts">{alerts.map((a) => <AlertItem key={a.id} alert={a} brief={brief} />)}</ul>;
}
