// Bundles every src/**/*.test.ts and runs them with node's own test runner.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = await mkdtemp(join(tmpdir(), 'sedge-web-test-'));
const tests = (await readdir(join(here, 'src'))).filter((name) => name.endsWith('.test.ts'));

await esbuild.build({
  absWorkingDir: here,
  entryPoints: tests.map((name) => `src/${name}`),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: ['node18'],
  logLevel: 'warning',
});
const files = (await readdir(out)).filter((name) => name.endsWith('.mjs')).map((name) => join(out, name));
const run = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' });
await rm(out, { recursive: true });
process.exit(run.status ?? 1);
