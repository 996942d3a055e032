// Taking the site's changed files into the site that runs.

import { useSignal } from '@preact/signals';
import { Problem, reload, type ReloadReport } from '../api';
import { time } from '../format';
import { t } from '../i18n';
import { sayError } from '../said';

const NAMES_SHOWN = 12;

/** Which programs and devices are not as they were. */
function changesOf(fates: ReloadReport['devices']): string[] {
  return fates ? [...fates.changed, ...fates.added, ...fates.removed] : [];
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
  const programs = changesOf(report.programs);
  const devices = changesOf(report.devices);
  const names = [...programs, ...devices];
  const s = t.settings;
  return (
    <>
      <p class="taken">{s.taken(time(report.at_ms))} {names.length > 0 ? s.changes(programs.length, devices.length) : s.noChanges}</p>
      {names.length > 0 && (
        <p class="faint" translate={false}>{names.slice(0, NAMES_SHOWN).join(', ')}{names.length > NAMES_SHOWN ? ' …' : ''}</p>
      )}
      {report.text && <pre translate={false}>{report.text}</pre>}
    </>
  );
}
