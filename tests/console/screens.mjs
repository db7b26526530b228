// Pictures of every page of the console, in light and dark, wide and narrow: for a person to look at.
//
// Usage: node tests/console/screens.mjs ADDRESS FOLDER [PAGE...]   where ADDRESS is the login link of a mock server
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from './packages.mjs';

const { chromium } = (await load('playwright-core')).default;
const [address, folder, ...only] = process.argv.slice(2);
const origin = new URL(address).origin;
const keyOf = (name) => readFileSync(new URL(`../vectors/format_v1/${name}.key`, import.meta.url), 'utf8');
const [alice, node1] = [keyOf('alice'), keyOf('node-1')];
await mkdir(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
});
const sizes = [
  [1280, 800],
  [360, 740],
  [3840, 2160],
];
const onLargeScreens = ['tree', 'actor', 'stalled'];

const json = async (page, path) => page.evaluate((at) => fetch(at).then((answer) => answer.json()), path);

async function pagesOf(page) {
  const { sessions } = await json(page, '/v1/sessions?count=100');
  const id = (title) => sessions.find((session) => session.title === title)?.id;
  const { capsules } = await json(page, '/v1/capsules');
  const seal = `sessions/${id('Clock tower')}/seal`;
  return {
    tree: '#/tree',
    list: '#/tree',
    actor: `#/actor/${encodeURIComponent(seal)}`,
    capsules: '#/capsule',
    capsule: `#/capsule/${capsules[0].id}`,
    node: '#/node',
    sessions: '#/sessions',
    session: `#/session/${id('Clock tower')}`,
    stalled: `#/session/${id('Accounting desktop')}`,
    finished: `#/session/${id('Test picture') ?? id('Example – "quoted"')}`,
    playing: `#/session/${id('Test picture')}`,
    wrong_key: `#/session/${id('Test picture')}`,
    damaged: `#/session/${id('Test picture')}`,
    ledger: '#/ledger',
    block: '#/ledger/12',
    letters: '#/letters',
    audit: '#/audit',
    keys: '#/tree',
    confirm: `#/actor/${encodeURIComponent(seal)}`,
  };
}

async function open(page, key, passphrase = '') {
  await page.getByLabel('Key file', { exact: true }).fill(key);
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.waitForTimeout(2500);
}

const before = {
  list: (page) => page.getByRole('button', { name: 'List' }).click(),
  actor: async (page) => {
    await page.getByRole('button', { name: 'Open tap' }).click();
    await page.waitForTimeout(2500);
  },
  keys: (page) => page.keyboard.press('?'),
  confirm: (page) => page.getByRole('button', { name: 'Kill …' }).click(),
  playing: async (page) => {
    await open(page, alice);
    await page.getByRole('button', { name: 'Show events' }).click();
    await page.evaluate(() => {
      document.querySelector('video').currentTime = 18;
    });
    await page.waitForTimeout(2500);
    await page.locator('video').scrollIntoViewIfNeeded();
  },
  wrong_key: (page) => open(page, node1, 'battery staple'),
  damaged: async (page) => {
    await page.evaluate(() => fetch('/mock/damage/0', { method: 'POST' }));
    await open(page, alice);
    await page.waitForTimeout(1500);
    await page.evaluate(() => fetch('/mock/damage/-1', { method: 'POST' }));
  },
  finished: (page) => page.getByRole('button', { name: 'Verify' }).click(),
};

for (const colorScheme of ['light', 'dark'])
  for (const [width, height] of sizes) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: 1 });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') console.log(`${colorScheme} ${width}: ${message.text()}`);
    });
    page.on('pageerror', (error) => console.log(`${colorScheme} ${width}: ${error.stack}`));
    await page.goto(address);
    await page.waitForSelector('.canvas .row');
    for (const [name, hash] of Object.entries(await pagesOf(page))) {
      if ((only.length > 0 && !only.includes(name)) || (width > 2000 && !onLargeScreens.includes(name))) continue;
      await page.goto(`${origin}/${hash}`);
      await page.reload();
      await page.waitForTimeout(1600);
      await before[name]?.(page);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
      const tall = await page.evaluate(() => document.querySelector('main').scrollHeight);
      if (tall > height && !['tree', 'list', 'keys', 'confirm'].includes(name)) {
        await page.setViewportSize({ width, height: Math.min(3000, tall + 120) });
        await page.waitForTimeout(400);
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}-whole.png`) });
        await page.setViewportSize({ width, height });
      }
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) console.log(`${name} ${width}: the page is ${over} px wider than the window`);
    }
    await context.close();
  }
await browser.close();
