// Builds the console's pages: `node build.mjs [FOLDER]` writes them (default dist/), `node build.mjs --tests [FOLDER]` bundles
// their tests (default dist-tests/).
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'src');
const bundleBytesMax = 250 << 10; // Compressed, without the parts that only playback loads.

const common = {
  absWorkingDir: here,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
  legalComments: 'none',
  nodePaths: [join(here, 'node_modules')],
};

/** The one file that was made of `entry`. */
function outputOf(result, entry) {
  const found = Object.entries(result.metafile.outputs).find(([, output]) => output.entryPoint === entry);
  return basename(found[0]);
}

async function buildPages(folder) {
  const assets = join(folder, 'assets');
  await rm(folder, { recursive: true, force: true });
  await mkdir(assets, { recursive: true });
  const options = {
    ...common,
    outdir: assets,
    minify: true,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    metafile: true,
  };
  // The worker first: the pages must know its name.
  const worker = await esbuild.build({ ...options, entryPoints: ['src/playback/worker.ts'] });
  const address = JSON.stringify(`/assets/${outputOf(worker, 'src/playback/worker.ts')}`);
  const pages = await esbuild.build({
    ...options,
    entryPoints: ['src/main.ts'],
    splitting: true,
    define: { LUCID_PLAYBACK_WORKER: address },
  });
  const style = await esbuild.build({ ...options, entryPoints: ['src/style/console.css'] });
  const iconData = await readFile(join(source, 'icon.svg'));
  const icon = `icon-${createHash('sha256').update(iconData).digest('hex').slice(0, 8)}.svg`;
  await writeFile(join(assets, icon), iconData);
  const page = (await readFile(join(source, 'index.html'), 'utf8'))
    .replace('ICON', icon)
    .replace('STYLE', outputOf(style, 'src/style/console.css'))
    .replace('SCRIPT', outputOf(pages, 'src/main.ts'));
  await writeFile(join(folder, 'index.html'), page);
  await report(folder, outputOf(worker, 'src/playback/worker.ts'));
}

async function report(folder, worker) {
  let pages = 0;
  for (const name of ['index.html', ...(await readdir(join(folder, 'assets'))).map((file) => `assets/${file}`)]) {
    const data = await readFile(join(folder, name));
    const packed = gzipSync(data, { level: 9 }).length;
    if (basename(name) !== worker) pages += packed;
    console.log(`${name.padEnd(40)} ${String(data.length).padStart(8)} bytes, ${String(packed).padStart(7)} compressed`);
  }
  console.log(`without the playback worker: ${pages} of ${bundleBytesMax} bytes compressed`);
  if (pages > bundleBytesMax) throw new Error('the bundle is above its bound');
}

async function buildTests(folder) {
  const tests = join(here, '../../../tests/console/web');
  const entryPoints = (await readdir(tests)).filter((name) => name.endsWith('_tests.ts')).map((name) => join(tests, name));
  await rm(folder, { recursive: true, force: true });
  // Under Node libsodium asks for `require` and `__dirname`, which a module does not have.
  const banner = {
    js: `import { createRequire } from 'node:module';
      import { dirname as folderOf } from 'node:path';
      import { fileURLToPath as pathOf } from 'node:url';
      const require = createRequire(import.meta.url), __dirname = folderOf(pathOf(import.meta.url));`,
  };
  await esbuild.build({
    ...common,
    entryPoints,
    outdir: folder,
    platform: 'node',
    outExtension: { '.js': '.mjs' },
    sourcemap: 'inline',
    banner,
  });
}

const [first, second] = process.argv.slice(2);
if (first === '--tests') await buildTests(resolve(second ?? join(here, 'dist-tests')));
else await buildPages(resolve(first ?? join(here, 'dist')));
