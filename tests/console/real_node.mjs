// A node of the program under test, in a folder of its own, for the tests in the browser. LUCID names the program.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const program = process.env.LUCID;

// It restarts quickly and syncs often; its chunks are small, so that a recording of half a minute has several.
const settings = {
  'console.port': '0',
  'node.name': 'desk-recorder',
  'journal.sync_interval': '100 ms',
  'supervision.backoff_min': '5 ms',
  'supervision.backoff_max': '50 ms',
  'store.free_bytes_min': '0',
  'chunk.size_bytes': '8 MiB',
  'encode.key_frame_interval': '1 s',
};

/** Asks until `ready` answers something true; fails after `seconds`, with the last error. */
export async function until(what, ready, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (let last; ; ) {
    try {
      const found = await ready();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A running node. `stop` ends it and removes its folder. */
export class RealNode {
  static async start() {
    const node = new RealNode();
    node.folder = await mkdtemp(join(tmpdir(), 'lucid-console-'));
    await node.lucid('keys', 'init', '--no-passphrase');
    const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    node.process = spawn(program, ['--data-dir', node.folder, '--log-level', 'info', ...set, 'node'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    node.log = '';
    node.process.stderr.on('data', (data) => {
      node.log = (node.log + data).slice(-20_000);
    });
    await until('the node answers', () => node.lucid('status'), 20);
    return node;
  }

  /** What a command of the program prints. */
  async lucid(...args) {
    return (await run(program, ['--data-dir', this.folder, '--log-level', 'warn', ...args], { timeout: 120_000 })).stdout;
  }

  async loginLink() {
    const link = /https?:\/\/\S+\/login\?token=[0-9a-f]{64}/.exec(await this.lucid('console', 'open'))?.[0];
    assert.ok(link, '`lucid console open` prints a login link');
    return link;
  }

  /** Begins a recording; the answer is its id. */
  async record(source, title) {
    const told = await this.lucid('record', '--detach', '--json', source, '--title', title, '--owner', 'alice');
    const id = /[0-9a-f]{64}/.exec(told)?.[0];
    assert.ok(id, 'a recording has an id');
    return id;
  }

  async session(id) {
    return JSON.parse(await this.lucid('sessions', 'show', '--json', id));
  }

  recorded(id) {
    return until(`session ${id} is completed`, async () => (await this.session(id)).state === 'completed', 240);
  }

  key(name = 'owner') {
    return readFile(join(this.folder, 'keys', `${name}.key`), 'utf8');
  }

  /** Flips a bit in the middle of a stored chunk. */
  async damage(id, track, index) {
    const folder = join(this.folder, 'sessions', id);
    const wanted = new RegExp(`^${track}-0*${index}\\.chunk$`);
    const name = (await readdir(folder)).find((each) => wanted.test(each));
    assert.ok(name, `there is a file of ${track} chunk ${index}`);
    const file = await open(join(folder, name), 'r+');
    const at = Math.floor((await file.stat()).size / 2);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    buffer[0] ^= 1;
    await file.write(buffer, 0, 1, at);
    await file.close();
  }

  async stop() {
    if (this.process && this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      const late = setTimeout(() => this.process.kill('SIGKILL'), 30_000);
      await once(this.process, 'exit');
      clearTimeout(late);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
