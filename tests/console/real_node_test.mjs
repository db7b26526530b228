// The console as an operator has it: a real node that records, its pages in a real browser, and the owner's key.
//
// LUCID names the program, CHROMIUM the browser, PROMTOOL promtool; SCREENS a folder for pictures of every page. ffmpeg
// encodes the recordings. Tests come in the order of a working day and share one node.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { load } from './packages.mjs';
import { http } from './raw_http.mjs';
import { RealNode, until } from './real_node.mjs';
import { takeScreens } from './screens.mjs';
import { giveKey, pictureOf, thumbnailOf } from './thumbnail_steps.mjs';

const { chromium } = (await load('playwright-core')).default;
const firstPaintMsMax = 500;
const bundleBytesMax = 250 << 10;
const patienceMs = 30_000;
const playableSeconds = 24;

let node;
let browser;
let context;
let page;
let origin;
let playable;
let damaged;
let running;
const errors = [];

before(async () => {
  node = await RealNode.start();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
  // Noise: what cannot be compressed fills chunks of 8 MiB within seconds.
  const noise = `generator:noise=1&size=560x400&rate=15&frames=${playableSeconds * 15}`;
  playable = await node.record(noise, 'Noise');
  damaged = await node.record(noise, 'Damaged on disk');
  const picture = await node.record(`generator:rate=15&frames=${playableSeconds * 15}`, 'Test picture');
  // They encode as fast as they can: pages would be timed beside that.
  for (const id of [playable, damaged, picture]) await node.recorded(id);
  running = await node.record('generator:realtime=1&frames=100000', 'Clock tower');
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

const visible = (text, within = page) => within.getByText(text).first().waitFor();
const go = async (hash) => {
  await page.goto(`${origin}/#/${hash}`);
  await page.reload();
};
const actorPage = (path) => go(`actor/${encodeURIComponent(path)}`);
const ask = (path) => page.evaluate((at) => fetch(at).then((answer) => answer.json()), path);
const sessionOf = (id) => ask(`/v1/sessions/${id}`);

/** Presses a button with a consequence, reads the consequence, and confirms. */
async function act(button, name = button) {
  await page.getByRole('button', { name: `${button} …`, exact: true }).click();
  const confirm = page.locator('dialog').getByRole('button', { name, exact: true });
  await confirm.and(page.locator(':enabled')).waitFor();
  const consequence = await page.locator('dialog .consequence').innerText();
  await confirm.click();
  return consequence;
}

test('the login link lets in once; the tree is there', async () => {
  const link = await node.loginLink();
  origin = new URL(link).origin;
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(patienceMs);
  page = await context.newPage();
  page.on('pageerror', (error) => errors.push(error.stack));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content.Security/.test(message.text())) errors.push(message.text());
  });
  const elsewhere = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('blob:')) elsewhere.push(request.url());
  });
  await page.goto(link);
  await page.waitForSelector('.canvas .row');
  for (const name of ['storage', 'store', 'ledger']) await visible(name);
  await page.keyboard.press('/'); // With some recordings the last actors are out of view.
  await page.keyboard.type('console');
  await page.locator('.canvas .row', { hasText: /^\W*console/ }).first().waitFor();
  await page.keyboard.press('Escape');
  const again = await fetch(link, { redirect: 'manual' });
  assert.equal(again.status, 401, 'a link works once');
  const other = await browser.newContext();
  const stranger = await other.newPage();
  await stranger.goto(origin);
  await visible('lucid console open', stranger);
  await other.close();
  assert.deepEqual(elsewhere, [], 'nothing is loaded from elsewhere');
});

test('every answer keeps the contract', async () => {
  const child = spawn(process.execPath, ['--test', fileURLToPath(new URL('contract_test.mjs', import.meta.url))], {
    env: { ...process.env, LUCID_LOGIN: await node.loginLink(), NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const out of [child.stdout, child.stderr]) out.on('data', (data) => (said += data));
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, said);
});

test(`the pages come within ${bundleBytesMax >> 10} KiB, and, where times are checked, within ${firstPaintMsMax} ms`, async (t) => {
  const paints = [];
  let bytes = 0;
  for (let i = 0; i < 3; ++i) {
    const fresh = await context.newPage(); // Of the same browser, with nothing cached for it.
    const session = await context.newCDPSession(fresh);
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await fresh.goto(`${origin}/#/actor/${encodeURIComponent('storage/store')}`);
    await fresh.waitForSelector('.plot canvas');
    paints.push(await fresh.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
    await fresh.close();
  }
  t.diagnostic(`first paint after ${paints.map((ms) => ms.toFixed(0)).join(', ')} ms; ${bytes} bytes with plots and data`);
  if (process.env.CHECK_TIMES) assert.ok(Math.min(...paints) < firstPaintMsMax, `painted after ${paints} ms`);
  assert.ok(bytes < bundleBytesMax, `${bytes} bytes`);
});

test('pages are sent packed, and may be kept', async () => {
  const html = await fetch(origin, { headers: { 'accept-encoding': 'identity' } });
  const name = /\/assets\/main-\w+\.js/.exec(await html.text())?.[0];
  assert.equal(html.headers.get('cache-control'), 'no-cache');
  const [plain, packed] = [await http(origin, name, {}), await http(origin, name, { 'accept-encoding': 'gzip, br' })];
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.match(packed.headers['cache-control'], /immutable/);
  assert.deepEqual(gunzipSync(packed.body), plain.body);
  for (const path of ['/assets/../../../../etc/passwd', '/assets/%2e%2e/%2e%2e/etc/passwd', '/assets//etc/passwd'])
    assert.notEqual((await http(origin, path, {})).status, 200, path);
});

test('an actor is killed while it records: it comes back, and the recording goes on', async () => {
  const path = `sessions/${running}/chunk`;
  await actorPage(path);
  const before_ = (await sessionOf(running)).frame_count;
  const { text: consequence } = await ask(`/v1/actors/${encodeURIComponent(path)}/consequence?action=kill`);
  assert.match(consequence, /restarts 4 children/);
  assert.match(await act('Kill'), /restarts 4 children/);
  await visible(/kill/i, page.locator('.panel', { hasText: 'Earlier incarnations' }));
  await until('the actor is back', async () => {
    const actor = await ask(`/v1/actors/${encodeURIComponent(path)}`);
    return actor.incarnation > 1 && actor.state_now === 'running';
  });
  await page.getByRole('link', { name: 'Actors', exact: true }).click(); // Marks are of what was seen: no new page.
  await page.locator('.marked').first().waitFor();
  await until('frames go on', async () => (await sessionOf(running)).frame_count > before_ + 30);
  const { state, gap_count } = await sessionOf(running);
  assert.deepEqual({ state, gap_count }, { state: 'recording', gap_count: 0 });
  const { entries } = await ask('/v1/audit');
  assert.ok(entries.some((entry) => entry.action === 'kill' && entry.target === path && entry.consequence === consequence));
});

test('the sessions page follows what is recorded', async () => {
  await go('sessions');
  const frames = page.locator('tr', { hasText: 'Clock tower' }).locator('td[data-title="Frames"]');
  const seen = async () => Number((await frames.innerText()).replaceAll(',', ''));
  await until('there are frames', async () => (await seen()) > 0, 10);
  const before_ = await seen();
  await until('there are more', async () => (await seen()) > before_, 10);
});

test('a crash leaves a capsule that can be read', async () => {
  await go('capsule');
  await page.locator('main a[href^="#/capsule/"]').first().click();
  await visible('Child specification');
  assert.match(await page.locator('main').innerText(), /chunk/);
});

test('an actor is suspended and goes on where it was', async () => {
  const path = `sessions/${running}/seal`;
  await actorPage(path);
  await act('Suspend');
  await visible('suspended', page.locator('.heading'));
  await act('Resume');
  await visible('running', page.locator('.heading'));
});

test('a tap shows the messages of an actor, and no secret', async () => {
  await actorPage(`sessions/${running}/chunk`);
  await page.getByRole('button', { name: 'Open tap' }).click();
  await page.locator('.tapped .canvas .row', { hasText: /fragment/ }).first().waitFor();
  await page.getByRole('button', { name: 'Close tap' }).click();
  await visible(/\d+ seen.*closed/);
});

test('a drained node starts nothing, until that is taken back', async () => {
  await go('node');
  await act('Drain');
  await visible('refused: the node is draining');
  await assert.rejects(node.record('generator:frames=10', 'Too late'), 'a drained node records nothing new');
  assert.equal((await sessionOf(running)).state, 'recording', 'what runs goes on');
  await act('Accept sessions again', 'Accept');
  await visible('accepted', page.locator('.panel', { hasText: 'data folder' }));
  await node.recorded(await node.record('generator:frames=10', 'In time'));
});

async function openRecording(id, key) {
  await go(`session/${id}`);
  await page.getByLabel('Key file', { exact: true }).fill(key);
  await page.getByRole('button', { name: 'Open', exact: true }).click();
}

test('a recording plays to its end; a seek fetches only the chunks it needs', async (t) => {
  await node.recorded(playable);
  const { chunks } = await ask(`/v1/sessions/${playable}/chunks`);
  const last = chunks.filter(({ track }) => track === 'video').length - 1;
  assert.ok(last >= 2, `it has ${last + 1} chunks`);
  const fetched = new Set();
  page.on('request', (request) => {
    const index = /chunks\/video\/(\d+)$/.exec(request.url())?.[1];
    if (index) fetched.add(Number(index));
    assert.ok(!/secret|box_secret/.test(request.postData() ?? ''), 'the key stays in the page');
  });
  await openRecording(playable, await node.key());
  await page.waitForFunction(() => document.querySelector('video')?.readyState >= 3);
  assert.ok(!fetched.has(last), `the end is not fetched at the beginning: ${[...fetched]}`);
  const seconds = await page.evaluate(() => document.querySelector('video').duration);
  assert.ok(Math.abs(seconds - playableSeconds) < 1, `it is ${seconds} s long`);
  await page.evaluate((at) => {
    document.querySelector('video').currentTime = at;
    document.querySelector('video').muted = true;
    return document.querySelector('video').play();
  }, seconds - 2);
  await page.waitForFunction(() => document.querySelector('video').ended);
  assert.ok(fetched.has(last), `fetched ${[...fetched]}`);
  assert.ok(fetched.size < last + 1, `not all ${last + 1} are fetched: ${[...fetched]}`);
  t.diagnostic(`${last + 1} chunks, fetched ${[...fetched]}`);
  assert.deepEqual(errors, []);
});

test('a wrong key and a damaged chunk each say what they are', async () => {
  await node.recorded(damaged);
  await node.lucid('keys', 'init', '--name', 'stranger', '--no-passphrase');
  await openRecording(damaged, await node.key('stranger'));
  await visible(/Wrong key/);
  await node.damage(damaged, 'video', 0);
  await openRecording(damaged, await node.key());
  await visible(/Damage.*video chunk 0 is not what was sealed/);
  await page.getByRole('button', { name: 'Go on behind it' }).click();
  await page.waitForFunction(() => document.querySelector('video').currentTime > 0);
  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  await visible(/NOT INTACT/);
});

test('the sessions page shows a frame of each recording that the key opens', async () => {
  await go('sessions');
  await giveKey(page, await node.key());
  const { colours, ...seen } = await pictureOf(page, 'Test picture');
  assert.deepEqual(seen, { width: 160, height: 90, alt: 'Thumbnail of Test picture' });
  assert.ok(colours > 16, `it has ${colours} colours`);
  await pictureOf(page, 'Noise');
  await thumbnailOf(page, 'Damaged on disk').getByText('damaged').waitFor();
  await thumbnailOf(page, 'Clock tower').getByText('not sealed yet').waitFor();
  await page.getByRole('button', { name: 'Forget the key' }).click();
  await giveKey(page, await node.key('stranger'));
  await thumbnailOf(page, 'Test picture').getByText('sealed for another key').waitFor();
  await page.getByRole('link', { name: 'Node', exact: true }).click();
  await until('the worker ended', () => page.workers().length === 0, 10);
  assert.deepEqual(errors, []);
});

test('Prometheus reads what the node tells', async (t) => {
  if (!process.env.PROMTOOL || process.env.PROMTOOL.endsWith('NOTFOUND')) return t.skip('promtool is missing');
  const child = spawn(process.env.PROMTOOL, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const out of [child.stdout, child.stderr]) out.on('data', (data) => (said += data));
  const text = await (await fetch(`${origin}/metrics`)).text();
  child.stdin.end(text);
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, said);
  assert.match(text, /^lucid_sessions\{state="recording"\} 1$/m);
});

test('every page has its picture, in both themes, wide and narrow', async (t) => {
  if (!process.env.SCREENS) return t.skip('SCREENS names no folder');
  const stalled = await node.record('generator:realtime=1&frames=100000&noise=1', 'Accounting desktop');
  await until('it records', async () => (await sessionOf(stalled)).frame_count > 0);
  await actorPage(`sessions/${stalled}/seal`);
  await act('Suspend');
  const complaints = await takeScreens({
    page,
    origin,
    folder: process.env.SCREENS,
    key: await node.key(),
    wrongKey: await node.key('stranger'),
  });
  await actorPage(`sessions/${stalled}/seal`);
  await act('Resume');
  assert.deepEqual(complaints, []);
});

test('the recording that lost an actor is whole', async () => {
  await go(`session/${running}`);
  await act('Stop');
  await node.recorded(running);
  assert.match(await node.lucid('verify', running), /INTACT/);
  assert.deepEqual(errors, []);
});
