// The pages in a real browser against the mock server: what a person does first, and what must not go wrong.
// Needs chromium (CHROMIUM names it), and ffmpeg for the recording that is played.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from './packages.mjs';
import { until } from './real_node.mjs';
import { giveKey, pictureOf, thumbnailOf } from './thumbnail_steps.mjs';

const { chromium } = (await load('playwright-core')).default;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const alice = readFileSync(here('../vectors/format_v1/alice.key'), 'utf8');
const node1 = readFileSync(here('../vectors/format_v1/node-1.key'), 'utf8');
const actorCount = 10_000;
const updateMsMax = 100;
const updatesMeasured = 9;

const patienceMs = 120_000; // A machine that builds something else meanwhile is slow, not wrong.

let browser;

/** A mock node and a page that is signed in to it; both end with the test. */
async function signIn(t, ...options) {
  const child = spawn(process.execPath, [here('mock_server.mjs'), '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  let told = '';
  while (told.split('\n').length < 3) told += String((await once(child.stdout, 'data'))[0]);
  const [address, ids] = told.split('\n');
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  t.after(() => context.close());
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.stack));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content.Security/.test(message.text())) errors.push(message.text());
  });
  await page.goto(address);
  await page.waitForSelector('.canvas .row');
  return { page, errors, origin: new URL(address).origin, ...JSON.parse(ids) };
}

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
});
after(() => browser.close());

const visible = (page, text) => page.getByText(text).first().waitFor();

async function openRecording(page, origin, id, key, passphrase = '') {
  await page.goto(`${origin}/#/session/${id}`);
  await page.reload();
  await page.getByLabel('Key file', { exact: true }).fill(key);
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Open', exact: true }).click();
}

test('without a session the page says how to sign in', async (t) => {
  const { origin } = await signIn(t);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(origin);
  await visible(page, 'lucid console open');
});

test('the tree folds, filters and sorts, and a killed actor is marked', async (t) => {
  const { page, errors, running } = await signIn(t);
  await page.keyboard.press('/');
  await page.keyboard.type('anchor');
  await assert.doesNotReject(
    page.waitForFunction(() => document.querySelectorAll('.canvas .row:not([hidden])').length === 3),
  );
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Mailbox' }).click();
  await page.waitForFunction(() => /chunk/.test(document.getElementById('row-0').innerText));
  await page.goto(`${page.url().split('#')[0]}#/actor/${encodeURIComponent(`sessions/${running}/journal`)}`);
  await page.getByRole('button', { name: 'Kill …' }).click();
  await visible(page, /end at once, as in a crash/);
  await page.getByRole('button', { name: 'Kill', exact: true }).click();
  await visible(page, 'killed by an operator');
  await page.getByRole('link', { name: 'Actors' }).click();
  await page.locator('.marked').first().waitFor();
  assert.deepEqual(errors, []);
});

test('nothing is done when the dialog is left', async (t) => {
  const { page, running } = await signIn(t);
  await page.goto(`${page.url().split('#')[0]}#/actor/${encodeURIComponent(`sessions/${running}/manifest`)}`);
  await page.getByRole('button', { name: 'Kill …' }).click();
  await page.keyboard.press('Escape');
  await page.waitForTimeout(1500);
  assert.equal(await page.getByText('killed by an operator').count(), 0);
});

test('a tab that is not seen asks for nothing', async (t) => {
  const { page } = await signIn(t);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await visible(page, 'paused');
  await page.evaluate(() => performance.clearMeasures());
  await page.waitForTimeout(2500);
  assert.equal(await page.evaluate(() => performance.getEntriesByType('measure').length), 0);
});

test('other nodes of the cluster stand folded in the tree, and their actors can be acted on', async (t) => {
  const { page, errors, origin } = await signIn(t);
  await page.locator('#row-0').getByRole('button', { name: 'Fold' }).click();
  const names = () => page.locator('.canvas .row:not([hidden]) .name a').evaluateAll((all) => all.map((a) => a.textContent));
  await until('this node is folded', async () => (await names()).length === 3, 30);
  assert.deepEqual(await names(), ['root', 'nodes/attic', 'nodes/cellar'], 'they begin folded');
  const attic = page.locator('.canvas .row:not([hidden])', { hasText: 'nodes/attic' });
  assert.equal(await attic.getAttribute('aria-level'), '1');
  await attic.getByRole('button', { name: 'Unfold' }).click();
  await page.locator('.canvas .row:not([hidden])', { hasText: 'copies' }).waitFor();
  const path = 'nodes/attic/storage/store';
  await page.goto(`${origin}/#/actor/${encodeURIComponent(path)}`);
  await visible(page, /are in the console of attic/);
  assert.equal(await page.getByRole('button', { name: 'Open tap' }).count(), 0, 'it cannot be tapped from here');
  const asked = page.waitForRequest((request) => request.method() === 'POST' && request.url().includes('/restart'));
  await page.getByRole('button', { name: 'Restart …' }).click();
  await page.getByRole('button', { name: 'Restart', exact: true }).click();
  assert.ok((await asked).url().endsWith(`/v1/actors/${encodeURIComponent(path)}/restart`));
  await page.goto(`${origin}/#/actor/${encodeURIComponent('nodes/attic')}`);
  await visible(page, /are in the console of attic/);
  assert.equal(await page.getByRole('button', { name: 'Kill …' }).count(), 0, 'a whole node is not killed from here');
  assert.deepEqual(errors, []);
});

test('a recording in the chain of another node names that node, and has no link into the chain of this one', async (t) => {
  const { page, errors, origin } = await signIn(t);
  const find = async (title) =>
    (await page.request.get(`${origin}/v1/sessions`).then((answer) => answer.json())).sessions.find((one) => one.title === title).id;
  const holds = page.getByRole('region', { name: 'What it holds' });
  await page.goto(`${origin}/#/session/${await find('Night shift')}`);
  await holds.getByText('block 7 of the chain of attic').waitFor();
  assert.equal(await holds.getByRole('link').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'look it up' }).count(), 0);
  await page.goto(`${origin}/#/session/${await find('Shift 1')}`);
  await holds.getByRole('link', { name: 'block 12' }).waitFor();
  assert.deepEqual(errors, []);
});

test('the cluster page shows who is there, invites, and removes after asking', async (t) => {
  const { page, errors } = await signIn(t);
  await page.getByRole('link', { name: 'Cluster' }).click();
  const row = (name) => page.getByRole('region', { name: 'Nodes' }).locator('tbody tr', { hasText: name });
  await row('desk-recorder').getByText('this node').waitFor();
  await row('cellar').getByText(/^tor:/).waitFor();
  const roles = page.getByRole('region', { name: 'Who runs which role' });
  await roles.locator('tr', { hasText: 'anchor 0' }).getByText('desk-recorder').waitFor();
  await roles.locator('tr', { hasText: 'seal 1' }).getByText('nobody').waitFor();
  await visible(page, '1,197 of 1,240 chunks');

  await page.getByRole('button', { name: 'Invite a node …' }).click();
  await visible(page, 'One node may join with this invitation, once.');
  await page.getByLabel('Good for').selectOption('one day');
  const wish = page.waitForRequest((request) => request.url().endsWith('/v1/cluster/invitations'));
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  assert.equal((await wish).postData(), '{"valid_seconds":86400}');
  const invitation = await page.getByLabel('Invitation', { exact: true }).inputValue();
  assert.match(invitation, /^lucid-join:/);
  await visible(page, 'good until');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByLabel('Invitation', { exact: true }).waitFor({ state: 'detached' });
  const kept = await page.evaluate(() => document.body.innerHTML + JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.ok(!kept.includes(invitation), 'nothing keeps it');

  await page.getByRole('button', { name: 'Remove attic' }).click();
  await visible(page, 'Cut off from all members at once; to come back it has to be invited anew.');
  await page.keyboard.press('Escape');
  await page.waitForTimeout(1500);
  await row('attic').getByText('up', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove attic' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await row('attic').waitFor({ state: 'detached' });

  await page.evaluate(() => fetch('/mock/down/cellar', { method: 'POST' }));
  await visible(page, '2 members: 1 up, 1 down');
  await row('cellar').getByText('down', { exact: true }).waitFor();
  assert.deepEqual(errors, []);
});

test('the cluster page asks for nothing while it is not seen', async (t) => {
  const { page, origin } = await signIn(t);
  await page.goto(`${origin}/#/cluster`);
  await visible(page, 'desk-recorder');
  let asked = 0;
  page.on('request', (request) => {
    asked += request.url().includes('/v1/cluster') ? 1 : 0;
  });
  await until('it asks again', () => asked > 0, 30);
  await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true }));
  await page.waitForTimeout(1500); // For one that was under way.
  asked = 0;
  await page.waitForTimeout(2500);
  assert.equal(asked, 0);
});

test('a node that stands alone says how a cluster begins', async (t) => {
  const { page, errors, origin } = await signIn(t, '--alone');
  await page.goto(`${origin}/#/cluster`);
  await visible(page, 'This node stands alone');
  await page.getByLabel('Invitation that a member made').fill('nonsense');
  await page.getByRole('button', { name: 'Join …' }).click();
  await visible(page, 'Its members can look at this node and share its work.');
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await visible(page, /Join was refused: an invitation begins with/);
  await page.getByLabel('Name of the cluster').fill('home');
  await page.getByRole('button', { name: 'Begin …' }).click();
  await visible(page, 'Begins a cluster of which this node is the first member.');
  await page.getByRole('button', { name: 'Begin', exact: true }).click();
  await page.getByRole('heading', { name: 'Cluster home' }).waitFor();
  await visible(page, '1 member: 1 up');
  assert.deepEqual(errors, []);
});

test(`${actorCount} actors are shown and updated, in under ${updateMsMax} ms where times are checked`, async (t) => {
  const { page } = await signIn(t, '--actors', String(actorCount));
  await page.waitForFunction((count) => performance.getEntriesByName('update actors').length >= count, updatesMeasured);
  const times = await page.evaluate(() => performance.getEntriesByName('update actors').map(({ duration }) => duration));
  times.sort((a, b) => a - b);
  t.diagnostic(
    `${times.length} updates: least ${times[0].toFixed(1)} ms, median ${times[times.length >> 1].toFixed(1)} ms, ` +
      `greatest ${times.at(-1).toFixed(1)} ms`,
  );
  // Held against the bound only where that is asked for: a busy machine is no fault of the page (docs/benchmarks.md).
  if (process.env.CHECK_TIMES) assert.ok(times[0] < updateMsMax, `took ${times[0]} ms`);
  assert.ok((await page.locator('.canvas .row').count()) < 100, 'only the rows in view exist');
});

test('a recording plays to its end, and a seek fetches only the chunks it needs', async (t) => {
  const { page, errors, origin, playable } = await signIn(t);
  if (!playable) return t.skip('ffmpeg is missing');
  const fetched = [];
  page.on('request', (request) => {
    if (/chunks\/video\/\d/.test(request.url())) fetched.push(Number(request.url().split('/').at(-1)));
  });
  await openRecording(page, origin, playable, alice);
  await page.waitForFunction(() => document.querySelector('video')?.readyState >= 3);
  assert.ok(!fetched.includes(4), 'the end is not fetched at the beginning');
  const seconds = await page.evaluate(() => document.querySelector('video').duration);
  assert.ok(Math.abs(seconds - 40) < 0.5, `it is ${seconds} s long`);
  await page.evaluate(async () => {
    const video = document.querySelector('video');
    video.muted = true;
    video.currentTime = 36;
    await video.play();
  });
  await page.waitForFunction(() => document.querySelector('video').ended);
  assert.ok(fetched.includes(4) && !fetched.includes(3), `fetched ${fetched}`);
  await page.getByRole('button', { name: 'Show events' }).click();
  await visible(page, /"focus"/);
  assert.deepEqual(errors, []);
});

test('a wrong key, a wrong passphrase and a damaged chunk each say what they are', async (t) => {
  const { page, origin, example, playable } = await signIn(t);
  await openRecording(page, origin, example, node1, 'battery staple');
  await visible(page, /Wrong key.*passphrase does not open/);
  await openRecording(page, origin, example, `lucid-owner:${'0'.repeat(64)} alice`);
  await visible(page, /public half of a key/);
  await openRecording(page, origin, example, node1, 'correct horse');
  await visible(page, /manifest hash/);
  if (!playable) return t.skip('ffmpeg is missing');
  await page.evaluate(() => fetch('/mock/damage/0', { method: 'POST' }));
  await openRecording(page, origin, playable, alice);
  await visible(page, /Damage.*video chunk 0 is not what was sealed/);
  await page.getByRole('button', { name: 'Go on behind it' }).click();
  await page.waitForFunction(
    () => document.querySelector('video').readyState >= 2 && document.querySelector('video').currentTime >= 8,
  );
});

test('thumbnails are made of what the key opens, and of nothing else', async (t) => {
  const { page, errors, origin, playable } = await signIn(t);
  if (!playable) return t.skip('ffmpeg is missing');
  const fetched = [];
  page.on('request', (request) => {
    const chunk = /sessions\/(\w+)\/chunks\/(\w+\/\d+)$/.exec(request.url());
    if (chunk) fetched.push(chunk.slice(1).join(' '));
    assert.ok(!/secret/.test(request.postData() ?? ''), 'the key stays in the page');
  });
  await page.goto(`${origin}/#/sessions`);
  await visible(page, 'Test picture');
  assert.equal(await page.locator('.thumbnail').count(), 0, 'without a key there is no column');
  await giveKey(page, alice);
  const { colours, ...seen } = await pictureOf(page, 'Test picture');
  assert.deepEqual(seen, { width: 160, height: 90, alt: 'Thumbnail of Test picture' });
  assert.ok(colours > 100, `it has ${colours} colours`);
  await thumbnailOf(page, 'Visitors').getByText('sealed for another key').waitFor();
  assert.match(await thumbnailOf(page, 'Visitors').getAttribute('title'), /^sealed for another key: key alice/);
  await thumbnailOf(page, 'Clock tower').getByText('not sealed yet').waitFor();
  const ofPlayable = fetched.filter((chunk) => chunk.startsWith(playable));
  assert.deepEqual(ofPlayable, [`${playable} video/0`], 'of each the first video chunk alone is fetched, once');
  await page.getByRole('link', { name: 'Actors' }).click();
  await page.waitForSelector('.canvas .row');
  await until('the worker with the key ended with the page', () => page.workers().length === 0, 10);
  await page.getByRole('link', { name: 'Sessions', exact: true }).click();
  await page.getByRole('button', { name: 'Thumbnails …' }).waitFor();
  assert.equal(await page.locator('.thumbnail').count(), 0, 'the key is forgotten');
  assert.deepEqual(errors, []);
});

test('where there is no thumbnail, its place says why', async (t) => {
  const { page, origin, playable } = await signIn(t);
  if (!playable) return t.skip('ffmpeg is missing');
  await page.goto(`${origin}/#/sessions`);
  await giveKey(page, node1, 'battery staple');
  await visible(page, /Wrong key.*passphrase does not open/);
  assert.equal(await page.locator('.thumbnail').count(), 0);
  await page.getByLabel('Passphrase').fill('correct horse');
  await page.getByRole('button', { name: 'Show thumbnails' }).click();
  await pictureOf(page, 'Test picture'); // The same key, under a passphrase.
  await thumbnailOf(page, 'Visitors').getByText('sealed for another key').waitFor();
  await page.getByRole('button', { name: 'Forget the key' }).click();
  assert.equal(await page.locator('.thumbnail').count(), 0);
  await until('the worker ended', () => page.workers().length === 0, 10);
  await page.evaluate(() => fetch('/mock/damage/0', { method: 'POST' }));
  await giveKey(page, alice);
  await thumbnailOf(page, 'Test picture').getByText('damaged').waitFor();
  assert.match(await thumbnailOf(page, 'Test picture').getAttribute('title'), /video chunk 0 is not what was sealed/);
});
