// Pieces of a line of a site's language, for colour.  The language's own lexer
// decides what is what; here a look is enough.

export type Piece = [kind: 'comment' | 'string' | 'number' | 'word' | 'plain', text: string];

const WORDS = new Set(
  ('after alert and as at break chan changed confirms continue critical debounce denied device drop else enum event every expect false fn for from given ' +
    'group if in info int bool float str is lease lend let list loop map match missed mod model move mut none not on online or own prefer priority program property ' +
    'publish range read record recv ref return revoke revoked safe select send skip sleep slope spawn stale task test true until var via warning when while').split(' '),
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
