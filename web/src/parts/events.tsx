// The events that a device announces: of each how often it came, and when.

import { useEffect } from 'preact/hooks';
import { getEvents, type Device, type HeardEvent } from '../api';
import { moment } from '../format';
import { t } from '../i18n';
import { applyEvents, events, link, now } from '../store';
import { Ago } from './value';

export function Events({ device }: { device: Device }) {
  const { state } = link.value;
  useEffect(() => {
    // Again after each way back: the feed may have missed some. What is known stays if this fails.
    if (state === 'live') getEvents(device.name).then(applyEvents, () => undefined);
  }, [device.name, state]);
  const heard = events.value.filter((x) => x.device === device.name);
  // In the order of the declaration, so that nothing moves when one comes.
  return (
    <section class="panel events" aria-labelledby="events">
      <h2 id="events">{t.device.events}</h2>
      <ul data-arrows="y">{device.events.map((name) => <Event key={name} name={name} heard={heard.find((x) => x.event === name)} />)}</ul>
    </section>
  );
}

function Event({ name, heard }: { name: string; heard: HeardEvent | undefined }) {
  const times = heard?.times_ms ?? [];
  const [last] = times;
  return (
    <li data-event={name}>
      <b translate={false}>{name}</b>
      {last === undefined ? (
        <span class="faint">{t.device.neverHeard}</span>
      ) : (
        <details>
          <summary><time dateTime={new Date(last).toISOString()}><Ago ms={last} /></time> · {t.alerts.times(heard?.count ?? 0)}</summary>
          <ol class="faint">{times.map((ms, i) => <li key={i}><time dateTime={new Date(ms).toISOString()}>{moment(ms, now.peek())}</time></li>)}</ol>
        </details>
      )}
    </li>
  );
}
