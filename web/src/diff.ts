// A unified diff as lines to show.

export interface DiffLine {
  kind: 'add' | 'remove' | 'same' | 'place';
  text: string;
}

export function diffLines(diff: string): DiffLine[] {
  const lines: DiffLine[] = [];
  for (const line of diff.replace(/\n$/, '').split('\n')) {
    if (/^(---|\+\+\+) /.test(line) && !lines.some((l) => l.kind === 'place')) continue; // the files' names are said elsewhere
    if (line.startsWith('@@')) lines.push({ kind: 'place', text: line });
    else if (line.startsWith('+')) lines.push({ kind: 'add', text: line.slice(1) });
    else if (line.startsWith('-')) lines.push({ kind: 'remove', text: line.slice(1) });
    else if (!line.startsWith('\\')) lines.push({ kind: 'same', text: line.slice(1) });
  }
  return lines;
}
