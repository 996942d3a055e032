// Builds the page: node build.mjs OUTDIR [--watch]
//
// Writes index.html, app.js, app.css and favicon.svg, flat, into OUTDIR.  The
// C build embeds exactly these files, so nothing else may land there and no
// file may ask for another one at run time.

import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const SCRIPT_MAX = 150 * 1024;
const STATIC = ['index.html', 'favicon.svg'];

const args = process.argv.slice(2);
const watch = args.includes('--watch');
const out = args.find((a) => !a.startsWith('--'));
if (!out) {
  console.error('usage: node build.mjs OUTDIR [--watch]');
  process.exit(2);
}

async function copyStatic() {
  await mkdir(out, { recursive: true });
  for (const name of STATIC) await copyFile(join(here, 'src', name), join(out, name));
}

/** The budget of the script alone, compressed: tests/browser measures the same as the server sends it. */
async function sizes() {
  let total = 0;
  for (const name of [...STATIC, 'app.js', 'app.css']) {
    const raw = await readFile(join(out, name));
    const zipped = gzipSync(raw, { level: 9 }).length;
    total += zipped;
    console.log(`${name.padEnd(12)} ${String(raw.length).padStart(7)} bytes ${String(zipped).padStart(6)} gzip`);
    if (name === 'app.js' && zipped > SCRIPT_MAX) throw new Error(`the script is ${zipped} bytes gzipped; the budget is ${SCRIPT_MAX}`);
  }
  console.log(`${'total'.padEnd(12)} ${String(total).padStart(27)} gzip`);
}

const options = {
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx' },
  outdir: out.startsWith('/') ? out : join(process.cwd(), out),
  bundle: true,
  minify: !watch,
  sourcemap: false,
  format: 'iife',
  target: ['es2020'],
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
};

await copyStatic();
if (watch) {
  const context = await esbuild.context({ ...options, logLevel: 'info' });
  await context.watch();
} else {
  await esbuild.build(options);
  await sizes();
}
