// Taking the site's changed files into the site that runs.

import { useSignal } from '@preact/signals';
import { Problem, reload, type ReloadReport } from '../api';
import { time } from '../format';
import { t } from '../i18n';
import { sayError } from '../said';

/** How many programs and devices are not as they were. */
function changesOf(report: ReloadReport): { programs: number; devices: number } {
  const { programs: p, devices: d } = report;
  return {
    programs: p ? p.changed.length + p.added.length + p.removed.length : 0,
    devices: d ? d.changed.length + d.added.length + d.removed.length : 0,
  };
}

export function Reload() {
  const busy = useSignal(false);
  const report = useSignal<ReloadReport | null>(null);
  const refusal = useSignal<{ why: string; text: string | null } | null>(null);
  const run = async () => {
    busy.value = true;
    report.value = null;
    refusal.value = null;
    try {
      report.value = await reload();
    } catch (error) {
      refusal.value = { why: sayError(error), text: error instanceof Problem ? error.report : null };
    }
    busy.value = false;
  };
  const s = t.settings;
  return (
    <div class="reload">
      <p class="faint">{s.reloadExplain}</p>
      <button type="button" disabled={busy.value} onClick={() => void run()}>{busy.value ? s.reloading : s.reload}</button>
      <div role="status">
        {report.value && <Taken report={report.value} />}
        {refusal.value && (
          <>
            <p class="refusal"><b>{s.refused}</b> <span translate={false}>{refusal.value.why}</span></p>
            {refusal.value.text && <pre translate={false}>{refusal.value.text}</pre>}
          </>
        )}
      </div>
    </div>
  );
}

function Taken({ report }: { report: ReloadReport }) {
  const { programs, devices } = changesOf(report);
  const s = t.settings;
  return (
    <>
      <p class="taken">{s.taken(time(report.at_ms))} {programs + devices > 0 ? s.changes(programs, devices) : s.noChanges}</p>
      {report.text && <pre translate={false}>{report.text}</pre>}
    </>
  );
}
