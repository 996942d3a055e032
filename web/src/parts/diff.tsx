// A change of the site's files, as people read changes.

import type { ChangedFile } from '../api';
import { diffLines } from '../diff';
import { t } from '../i18n';

const SIGN = { add: '+', remove: '−', same: ' ', place: '' };

export function Diff({ files }: { files: ChangedFile[] }) {
  if (files.length === 0) return <p class="empty">{t.adopt.noChange}</p>;
  return (
    <div class="diffs">
      {files.map((f) => (
        <figure key={f.file} class="diff">
          <figcaption>
            <code translate={false}>{f.file}</code> {f.new && <span class="chip">{t.adopt.newFile}</span>} <span class="faint">{t.adopt.counts(f.added, f.removed)}</span>
          </figcaption>
          <div class="scroll" tabIndex={0} role="region" aria-label={f.file}>
            <ol>
              {diffLines(f.diff).map((l, i) => (
                <li key={i} class={l.kind}>
                  <span class="sign" aria-hidden="true">{SIGN[l.kind]}</span>
                  {l.kind === 'add' ? <span class="unseen">{t.adopt.added}: </span> : l.kind === 'remove' ? <span class="unseen">{t.adopt.removed}: </span> : null}
                  <code translate={false}>{l.text || ' '}</code>
                </li>
              ))}
            </ol>
          </div>
        </figure>
      ))}
    </div>
  );
}
