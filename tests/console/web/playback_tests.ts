// Playback's decoder against the example recording: what is whole opens, what is not is named.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { type Bytes, fromHex, join, toHex, utf8 } from '../../../actors/console/web/src/playback/bytes.ts';
import { codecOf } from '../../../actors/console/web/src/playback/codec.ts';
import { contexts, derive, hash, leavesOf, merkleRoot } from '../../../actors/console/web/src/playback/digests.ts';
import { canonical, type Json, parseCanonical } from '../../../actors/console/web/src/playback/document.ts';
import { Failure, type FailureCode } from '../../../actors/console/web/src/playback/failure.ts';
import { needsPassphrase, openKeyFile } from '../../../actors/console/web/src/playback/key_file.ts';
import { readManifest } from '../../../actors/console/web/src/playback/manifest.ts';
import { Recording } from '../../../actors/console/web/src/playback/recording.ts';
import { loadSodium } from '../../../actors/console/web/src/playback/sodium.ts';
import { decompressBody, frameEnd } from '../../../actors/console/web/src/playback/zstd_body.ts';
import { blake3 } from '@noble/hashes/blake3.js';

const vectors = process.env.LUCID_VECTORS ?? 'tests/vectors/format_v1';
const bytesOf = (name: string): Bytes => new Uint8Array(readFileSync(`${vectors}/${name}`));
const textOf = (name: string) => readFileSync(`${vectors}/${name}`, 'utf8');
const values = JSON.parse(textOf('values.json')) as Record<string, string>;
const proof = parseCanonical(textOf('proof.json').trimEnd(), 'proof') as { [name: string]: Json };
const manifestText = canonical(proof.manifest!);
const signature = proof.signature as string;
const alice = textOf('alice.key');
const session = values.session_id!;
const sodium = await loadSodium();

const open = (key = alice, passphrase = '', manifest = manifestText, by = signature) =>
  Recording.open(sodium, session, utf8(manifest), by, openKeyFile(sodium, key, passphrase));

function fails(code: FailureCode, words: RegExp, what: () => unknown): void {
  assert.throws(
    what,
    (error) => error instanceof Failure && error.code === code && words.test(error.message),
    `expected ${code} ${words}`,
  );
}

function flipped(data: Uint8Array, at: number): Bytes {
  const copy = new Uint8Array(data);
  copy[at]! ^= 1;
  return copy;
}

/** The example manifest with something else in it, in canonical form. */
function manifestWith(change: (manifest: { [name: string]: Json }) => void): string {
  const copy = structuredClone(proof.manifest) as { [name: string]: Json };
  change(copy);
  return canonical(copy);
}

test('the example chunks have the leaves, root and content of the page', () => {
  const file = bytesOf('video0.chunk');
  assert.deepEqual(leavesOf(file).map(toHex), [values.video0_leaf_0, values.video0_leaf_1]);
  assert.equal(toHex(merkleRoot(leavesOf(file))), values.video0_root);
  assert.equal(toHex(hash(file)), values.video0_content);
  assert.deepEqual(merkleRoot([]), new Uint8Array(32));
});

test('a tree of three leaves has its largest power of two on the left', () => {
  const [a, b, c] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [Bytes, Bytes, Bytes];
  const node = (left: Uint8Array, right: Uint8Array) => derive(contexts.merkleNode, join(left, right));
  assert.equal(toHex(merkleRoot([a, b, c])), toHex(node(node(a, b), c)));
});

test('the example manifest reads, with the hash of the page', () => {
  const manifest = readManifest(utf8(manifestText));
  assert.equal(toHex(manifest.hash), values.manifest_hash);
  assert.equal(toHex(manifest.root), values.session_root);
  assert.equal(manifest.title, 'Example – "quoted"');
});

test("the owner's key opens every chunk of the example recording", () => {
  const recording = open();
  const video = recording.chunk('video', 0, bytesOf('video0.chunk'));
  assert.equal(toHex(video), toHex(blake3(utf8('lucid example video'), { dkLen: 20_000 })));
  const events = new TextDecoder().decode(recording.chunk('events', 0, bytesOf('events0.chunk')));
  assert.deepEqual(
    events
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event),
    ['start', 'start', 'start', 'start'],
  );
  recording.close();
});

test('a key under a passphrase opens it too, and a wrong passphrase says so', () => {
  const locked = textOf('node-1.key');
  assert.equal(needsPassphrase(locked), true);
  assert.equal(needsPassphrase(alice), false);
  assert.equal(open(locked, 'correct horse').chunk('events', 0, bytesOf('events0.chunk')).length, 172);
  fails('wrong_key', /passphrase does not open/, () => open(locked, 'battery staple'));
  fails('wrong_key', /none was given/, () => open(locked, ''));
});

test("another owner's key is told apart from damage", () => {
  const secret = new Uint8Array(32).fill(7);
  const other: { [name: string]: Json } = {
    ...(JSON.parse(alice) as { [name: string]: Json }),
    name: 'bob',
    secret: toHex(secret),
    box_public: toHex(sodium.crypto_scalarmult_base(secret)),
  };
  delete other.check;
  other.check = toHex(derive(contexts.keyFile, utf8(canonical(other))));
  fails('wrong_key', /key bob .* is not among the 1/, () => open(canonical(other)));
});

test('what is no key file is refused in words', () => {
  fails('malformed', /public half/, () => open(`lucid-owner:${'0'.repeat(64)} alice`));
  fails('malformed', /not JSON/, () => open('secret'));
  fails('malformed', /canonical/, () => open(alice.replace('"kind"', ' "kind"')));
  fails('damaged', /changed or damaged/, () => open(alice.replace('alice', 'alicf')));
  fails('malformed', /at most 16384/, () => open(`{"a":"${'x'.repeat(20_000)}"}`));
  fails('malformed', /name must be a text/, () => open(alice.replace('"name"', '"nome"')));
  assert.equal(openKeyFile(sodium, alice, '').name, 'alice');
});

test('one other bit anywhere in a chunk is damage', () => {
  const recording = open();
  const file = bytesOf('video0.chunk');
  for (const at of [0, 9, 10, 20, 56, 104, 130, 170, 192, 17_000, file.length - 1])
    fails('damaged', /video chunk 0 is not what was sealed/, () => recording.chunk('video', 0, flipped(file, at)));
  fails('damaged', /has 20207 bytes/, () => recording.chunk('video', 0, file.slice(0, -1)));
  fails('damaged', /has 271 bytes/, () => recording.chunk('video', 0, bytesOf('events0.chunk')));
  fails('malformed', /no video chunk 1/, () => recording.chunk('video', 1, file));
});

test('a manifest that somebody changed is refused, whatever he changed', () => {
  fails('damaged', /signature/, () =>
    open(
      alice,
      '',
      manifestWith((m) => {
        m.title = 'Another';
      }),
    ),
  );
  fails('damaged', /root/, () =>
    open(
      alice,
      '',
      manifestWith((m) => {
        m.root = '0'.repeat(64);
      }),
    ),
  );
  fails('damaged', /another recording/, () =>
    open(
      alice,
      '',
      manifestWith((m) => {
        m.session = '0'.repeat(64);
      }),
    ),
  );
  fails('damaged', /signature/, () => open(alice, '', manifestText, toHex(flipped(fromHex(signature, 64, ''), 3))));
  fails('malformed', /128 lower-case/, () => open(alice, '', manifestText, 'AB'));
});

test("a manifest that breaks a rule is refused by the rule's name", () => {
  type Tracks = { chunks: { [name: string]: Json }[] }[];
  const cases: [RegExp, (m: { [name: string]: Json }) => void][] = [
    [
      /not known: extra/,
      (m) => {
        m.extra = 1;
      },
    ],
    [
      /gap_count must be/,
      (m) => {
        delete m.gap_count;
      },
    ],
    [
      /gap_count must be/,
      (m) => {
        m.gap_count = -1;
      },
    ],
    [
      /title has more/,
      (m) => {
        m.title = 'x'.repeat(201);
      },
    ],
    [
      /recipient stands in it twice/,
      (m) => {
        m.keys = [(m.keys as Json[])[0]!, (m.keys as Json[])[0]!];
      },
    ],
    [
      /index is 1 where 0/,
      (m) => {
        (m.tracks as unknown as Tracks)[0]!.chunks[0]!.index = 1;
      },
    ],
    [
      /plain_size_bytes must be/,
      (m) => {
        (m.tracks as unknown as Tracks)[0]!.chunks[0]!.plain_size_bytes = 2 ** 24 + 1;
      },
    ],
    [
      /video, then events/,
      (m) => {
        (m.tracks as Json[]).reverse();
      },
    ],
    [
      /ended_us is before/,
      (m) => {
        m.ended_us = 0;
      },
    ],
  ];
  for (const [words, change] of cases) fails('malformed', words, () => readManifest(utf8(manifestWith(change))));
  fails('malformed', /canonical/, () => readManifest(utf8(`${manifestText} `)));
  fails('unsupported', /version 2/, () =>
    readManifest(
      utf8(
        manifestWith((m) => {
          m.version = 2;
        }),
      ),
    ),
  );
});

test("a key wrapped for the owner that is not the recording's is a wrong key", () => {
  // The commitment of another key, in a manifest that its recorder signed.
  const seed = sodium.crypto_sign_seed_keypair(new Uint8Array(32).fill(9));
  const text = manifestWith((m) => {
    m.key_commitment = '0'.repeat(64);
    m.recorder = toHex(seed.publicKey);
  });
  const by = sodium.crypto_sign_detached(join(utf8('lucid v1 manifest signature\0'), hash(utf8(text))), seed.privateKey);
  fails('wrong_key', /not the key of this recording/, () => open(alice, '', text, toHex(by)));
});

test('a body is exactly one zstd frame of its size', () => {
  const frame = fromHex('28b52ffd2003190000616263', 12, 'frame'); // "abc", stored in one raw block.
  assert.equal(new TextDecoder().decode(decompressBody(frame, 3, 'x')), 'abc');
  assert.equal(frameEnd(frame), frame.length);
  fails('damaged', /not one zstd frame/, () => decompressBody(join(frame, frame), 6, 'x'));
  fails('damaged', /not one zstd frame/, () => decompressBody(frame.slice(0, -1), 3, 'x'));
  fails('damaged', /not one zstd frame/, () => decompressBody(flipped(frame, 0), 3, 'x'));
  fails('damaged', /decompresses to 3 bytes/, () => decompressBody(frame, 4, 'x'));
  fails('damaged', /more than it states/, () => decompressBody(frame, 2, 'x'));
  const withChecksum = new Uint8Array(frame);
  withChecksum[4]! |= 4;
  fails('damaged', /not one zstd frame/, () => decompressBody(withChecksum, 3, 'x'));
});

test('the codec is told by the init segment', () => {
  const box = join(new Uint8Array(30), utf8('avcC'), fromHex('0164001fff', 5, 'configuration'));
  assert.equal(codecOf(box), 'avc1.64001f');
  assert.equal(codecOf(box.slice(0, 37)), undefined);
  assert.equal(codecOf(utf8('no video at all')), undefined);
});
