// Pictures of every page of the console, in light and dark, wide and narrow: for a person to look at.
//
// Usage: node tests/console/screens.mjs ADDRESS FOLDER [PAGE...]   where ADDRESS is the login link of a mock server
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from './packages.mjs';
import { giveKey } from './thumbnail_steps.mjs';

const wide = [1280, 800];
const narrow = [360, 740];
const huge = [3840, 2160];
const onLargeScreens = ['tree', 'actor', 'stalled'];
const themes = ['light', 'dark'];
const inOneWindow = ['tree', 'list', 'keys', 'confirm', 'invitation']; // They scroll by themselves, or lie over the page.
const settleMs = 150;

const ask = async (page, path) => page.evaluate((at) => fetch(at).then((answer) => answer.json()), path);

/** What is shown, by the titles that the mock server and the test with a real node give their sessions. */
async function pagesOf(page) {
  const { sessions } = await ask(page, '/v1/sessions?count=100');
  const { capsules } = await ask(page, '/v1/capsules');
  const { blocks } = await ask(page, '/v1/ledger?count=100');
  const id = (...titles) => titles.map((title) => sessions.find((one) => one.title === title)?.id).find(Boolean);
  const running = id('Clock tower');
  const actor = `#/actor/${encodeURIComponent(`sessions/${running}/chunk`)}`;
  const block = blocks.find(({ entry_count }) => entry_count > 0)?.height;
  return {
    tree: '#/tree',
    list: '#/tree',
    actor,
    capsules: '#/capsule',
    ...(capsules.length > 0 ? { capsule: `#/capsule/${capsules[0].id}` } : {}),
    node: '#/node',
    cluster: '#/cluster',
    invitation: '#/cluster',
    sessions: '#/sessions',
    thumbnails: '#/sessions',
    session: `#/session/${running}`,
    stalled: `#/session/${id('Accounting desktop')}`,
    finished: `#/session/${id('Test picture', 'Example – "quoted"')}`,
    playing: `#/session/${id('Test picture')}`,
    wrong_key: `#/session/${id('Test picture')}`,
    damaged: `#/session/${id('Damaged on disk', 'Test picture')}`,
    ledger: '#/ledger',
    ...(block === undefined ? {} : { block: `#/ledger/${block}` }),
    letters: '#/letters',
    audit: '#/audit',
    keys: '#/tree',
    confirm: actor,
  };
}

async function open(page, key, passphrase = '') {
  await page.getByLabel('Key file', { exact: true }).fill(key);
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Open', exact: true }).click();
}

/** What a person does on a page before it is taken. */
const steps = ({ key, wrongKey, wrongPassphrase, damage }) => ({
  list: (page) => page.getByRole('button', { name: 'List' }).click(),
  actor: async (page) => {
    await page.getByRole('button', { name: 'Open tap' }).click();
    await page.locator('.tapped .canvas .row').nth(3).waitFor();
    await page.waitForTimeout(2000); // For the plots to have a line.
    await page.locator('main').evaluate((main) => main.scrollTo(0, 0));
  },
  keys: (page) => page.keyboard.press('?'),
  confirm: async (page) => {
    await page.getByRole('button', { name: 'Kill …' }).click();
    await page.locator('dialog .danger:enabled').waitFor();
  },
  invitation: async (page) => {
    if (await page.getByText('This node stands alone').isVisible()) return;
    await page.getByRole('button', { name: 'Invite a node …' }).click();
    await page.locator('dialog .primary:enabled').click();
    await page.getByLabel('Invitation', { exact: true }).waitFor();
  },
  thumbnails: async (page) => {
    await giveKey(page, key);
    await page.locator('.thumbnail img').first().waitFor();
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.thumbnail.awaited')].every((cell) => cell.getBoundingClientRect().top > innerHeight),
    );
  },
  playing: async (page) => {
    await open(page, key);
    await page.getByRole('button', { name: 'Show events' }).click();
    await page.locator('.events li').first().waitFor();
    await page.evaluate(() => {
      document.querySelector('video').currentTime = 18;
    });
    await page.waitForFunction(() => document.querySelector('video').readyState >= 2);
    await page.locator('video').scrollIntoViewIfNeeded();
  },
  wrong_key: async (page) => {
    await open(page, wrongKey, wrongPassphrase);
    await page.getByText('Wrong key').waitFor();
  },
  damaged: async (page) => {
    await damage?.(page, true);
    await open(page, key);
    await page.getByRole('button', { name: 'Go on behind it' }).waitFor();
  },
  finished: async (page) => {
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText(/INTACT|NOT YET ANCHORED/).first().waitFor();
  },
});

/**
 * Writes the pictures of a console that `page` is signed in to. Answers what is wrong with a page as a machine can see it.
 *
 * `key` opens its recordings, `wrongKey` does not; `damage(page, on)` damages a chunk, where none is damaged already.
 */
export async function takeScreens({ page, origin, folder, only = [], sizes = [wide, narrow], ...more }) {
  await mkdir(folder, { recursive: true });
  const complaints = [];
  const before = steps(more);
  const shoot = async (page, name, theme, [width, height]) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(settleMs);
    await page.screenshot({ path: join(folder, `${name}-${theme}-${width}.png`) });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) complaints.push(`${name} ${width}: the page is ${over} px wider than the window`);
    const tall = await page.evaluate(() => document.querySelector('main').scrollHeight);
    if (tall <= height || width > 2000 || theme !== 'light' || inOneWindow.includes(name)) return;
    await page.setViewportSize({ width, height: Math.min(3000, tall + 120) });
    await page.waitForTimeout(settleMs);
    await page.screenshot({ path: join(folder, `${name}-${theme}-${width}-whole.png`) });
  };
  const left = Object.entries(await pagesOf(page)).filter(([name]) => only.length === 0 || only.includes(name));
  const work = async (at) => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [name, hash] = next;
      await at.setViewportSize({ width: wide[0], height: wide[1] });
      await at.goto(`${origin}/${hash}`);
      await at.reload();
      await at.waitForTimeout(1200); // For one turn of the stream.
      await before[name]?.(at);
      for (const size of sizes)
        for (const theme of themes)
          if (size !== huge || onLargeScreens.includes(name)) await shoot(at, name, theme, size);
      if (name === 'damaged') await more.damage?.(at, false);
    }
  };
  // A second tab, since most of the time is spent waiting. The damage of the mock server would reach the other tab's picture.
  const second = more.damage ? undefined : await page.context().newPage();
  await Promise.all([work(page), ...(second ? [work(second)] : [])]);
  await second?.close();
  await page.setViewportSize({ width: wide[0], height: wide[1] });
  await page.emulateMedia({ colorScheme: null });
  return complaints;
}

async function main([address, folder, ...only]) {
  const { chromium } = (await load('playwright-core')).default;
  const keyOf = (name) => readFileSync(new URL(`../vectors/format_v1/${name}.key`, import.meta.url), 'utf8');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
  const page = await browser.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') console.log(message.text());
  });
  page.on('pageerror', (error) => console.log(error.stack));
  await page.goto(address);
  await page.waitForSelector('.canvas .row');
  const complaints = await takeScreens({
    page,
    origin: new URL(address).origin,
    folder,
    only,
    sizes: [wide, narrow, huge],
    key: keyOf('alice'),
    wrongKey: keyOf('node-1'),
    wrongPassphrase: 'battery staple',
    damage: (at, on) => at.evaluate((chunk) => fetch(`/mock/damage/${chunk}`, { method: 'POST' }), on ? 0 : -1),
  });
  for (const complaint of complaints) console.log(complaint);
  await browser.close();
}

if (process.argv[1]?.endsWith('/screens.mjs')) await main(process.argv.slice(2));
