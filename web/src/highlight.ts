// Pieces of a line of a site's language, for colour.  The language's own lexer
// decides what is what; here a look is enough.

export type Piece = [kind: 'comment' | 'string' | 'number' | 'word' | 'plain', text: string];

const WORDS = new Set(
  ('action after alert and at break changed confirms continue critical debounce device drop else event every expect false fn for from given group home id if in info json lend let list loop map max ' +
    'missed model none not on or own prefer priority private program property publish range read record recv return revoke run safe select send set shared site skip slope spawn stale task test then true until use var via ' +
    'warning when while yield program enum match chan').split(' '),
);

const TOKEN = /(\/\/.*$)|("(?:\\.|[^"\\])*"?)|(\d+(?::\d\d)+|\d[\d_]*(?:\.\d+)?(?:[a-zA-Z%°µ]+)?)|([A-Za-z_]\w*)/g;

export function pieces(line: string): Piece[] {
  const out: Piece[] = [];
  let end = 0;
  for (const m of line.matchAll(TOKEN)) {
    if (m.index > end) out.push(['plain', line.slice(end, m.index)]);
    const [text, comment, string, number] = m;
    // A word behind a dot is a name, whatever it is called.
    const named = line[m.index - 1] === '.';
    out.push([comment !== undefined ? 'comment' : string !== undefined ? 'string' : number !== undefined ? 'number' : !named && WORDS.has(text) ? 'word' : 'plain', text]);
    end = m.index + text.length;
  }
  if (end < line.length) out.push(['plain', line.slice(end)]);
  return out;
}
