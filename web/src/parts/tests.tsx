// The site's own tests: run them, see what came of them.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getTests, runTests, type TestResult, type TestRun } from '../api';
import { age, duration, moment } from '../format';
import { t } from '../i18n';
import { sayError } from '../said';
import { now, testsChanged } from '../store';
import { Icon } from './icons';
import { usePolled } from './poll';

const RUNNING_MS = 500;

export function Tests() {
  const started = useSignal(0);
  const running = useSignal(false);
  const polled = usePolled(getTests, running.value ? RUNNING_MS : 0, `${testsChanged.value} ${started.value}`);
  const failed = useSignal<string | null>(null);
  const { value: run, why } = polled.value;
  useEffect(() => {
    running.value = run?.running ?? false;
  }, [run]);
  const start = async () => {
    failed.value = null;
    try {
      await runTests();
      running.value = true;
    } catch (error) {
      failed.value = sayError(error);
    }
    started.value++;
  };
  return (
    <section class="panel tests" aria-labelledby="tests">
      <header>
        <div>
          <h2 id="tests">{t.programs.tests}</h2>
          <p class="faint">{t.programs.testsExplain}</p>
        </div>
        <button type="button" onClick={() => void start()} disabled={running.value}><Icon name="play" /> {t.programs.runTests}</button>
      </header>
      <div role="status">
        {failed.value && <p class="refusal" translate={false}>{failed.value}</p>}
        {!run ? why && <p class="refusal" translate={false}>{why}</p> : <Summary run={run} />}
      </div>
      {run && run.tests.length > 0 && <ul class="test-list" data-arrows="y">{run.tests.map((x) => <Test key={`${x.file}:${x.line}`} test={x} />)}</ul>}
    </section>
  );
}

function Summary({ run }: { run: TestRun }) {
  const p = t.programs;
  if (run.running) return <p class="running">{p.testsRunning}</p>;
  if (run.error) return <p class="refusal" translate={false}>{run.error}</p>;
  if (run.errors > 0) {
    return (
      <>
        <p class="refusal">{p.testsBroken}</p>
        <pre translate={false}>{run.text}</pre>
      </>
    );
  }
  if (run.ended_ms === null) return <p class="empty">{p.testsNever}</p>;
  if (run.run === 0) return <p class="empty">{p.testsNone}</p>;
  const took = duration(run.took_ms ?? 0);
  return (
    <p class={`verdict ${run.failed > 0 ? 'failed' : 'passed'}`}>
      <Icon name={run.failed > 0 ? 'critical' : 'check'} />{' '}
      <b>{run.failed > 0 ? p.testsFailed(run.failed, run.run, took) : p.testsPassed(run.run, took)}</b>{' '}
      <span class="faint">{p.testsAt(moment(run.ended_ms, now.peek()))} · {p.simulated(age(run.simulated_ms))}</span>
    </p>
  );
}

function Test({ test }: { test: TestResult }) {
  const head = (
    <>
      <span class={`chip state-${test.passed ? 'confirmed' : 'failed'}`}>{test.passed ? t.programs.passed : t.programs.failed}</span>{' '}
      <span translate={false}>{test.name}</span>{' '}
      <code class="faint" translate={false}>{test.file}:{test.line}</code>
    </>
  );
  return (
    <li data-test={test.name}>
      {test.text ? (
        <details open={!test.passed}>
          <summary>{head}</summary>
          <pre translate={false}>{test.text}</pre>
        </details>
      ) : (
        head
      )}
    </li>
  );
}
