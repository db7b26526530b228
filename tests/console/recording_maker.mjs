// Makes a small sealed recording by docs/format.md, for pages to play: a test picture of ffmpeg, cut, sealed and signed.
// Nothing in it is random but its nonces; the owner's key is that of tests/vectors/format_v1/alice.key.
import { spawnSync } from 'node:child_process';
import { load, loadModule } from './packages.mjs';

const { default: sodium } = await loadModule('libsodium-wrappers-sumo/dist/modules-sumo-esm/libsodium-wrappers.mjs');
const { blake3 } = await load('@noble/hashes/blake3.js');
await sodium.ready;

const bytes = (text) => new TextEncoder().encode(text);
const derive = (context, ...parts) => blake3(Buffer.concat(parts), { context: bytes(context) });
const hex = (data) => Buffer.from(data).toString('hex');
const node = (a, b) => derive('lucid v1 merkle node', a, b);

function root(leaves) {
  if (leaves.length === 0) return new Uint8Array(32);
  if (leaves.length === 1) return leaves[0];
  const left = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return node(root(leaves.slice(0, left)), root(leaves.slice(left)));
}

function leaves(file) {
  const list = [];
  for (let at = 0; at < file.length; at += 16384) list.push(derive('lucid v1 merkle leaf', file.subarray(at, at + 16384)));
  return list;
}

/** The canonical form: names sorted, no blanks. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
    .join(',')}}`;
}

const number = (size) => (value) => {
  const data = Buffer.alloc(size);
  if (size === 8) data.writeBigUInt64LE(BigInt(value));
  else data.writeUIntLE(value, 0, size);
  return data;
};
const [u8, u16, u32, u64] = [1, 2, 4, 8].map(number);

/** Seals one chunk, stored as it is. */
export function sealChunk(plain, place, sessionKey) {
  const trackNumber = place.track === 'video' ? 0 : 1;
  const key = derive('lucid v1 chunk key', sessionKey, u8(trackNumber), u32(place.index));
  const nonce = sodium.randombytes_buf(24);
  const head = Buffer.concat([
    bytes('lucidchk'),
    u16(1),
    u8(trackNumber),
    u8(place.last ? 1 : 0),
    u32(place.index),
    place.session,
    u64(plain.length),
    u64(plain.length + 208),
    u64(place.first_sequence),
    u64(place.last_sequence),
    u64(place.start_us),
    u64(place.end_us),
    u32(place.frame_count),
    u32(0),
    nonce,
    derive('lucid v1 chunk key commitment', key),
  ]);
  const header = Buffer.concat([head, derive('lucid v1 chunk header', head)]);
  const file = Buffer.concat([header, sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, header, null, nonce, key)]);
  const record = {
    content: hex(blake3(file)),
    end_us: place.end_us,
    first_sequence: place.first_sequence,
    frame_count: place.frame_count,
    index: place.index,
    last_sequence: place.last_sequence,
    plain_size_bytes: plain.length,
    root: hex(root(leaves(file))),
    sealed_size_bytes: file.length,
    start_us: place.start_us,
  };
  return { file, record };
}

/** Manifest, signature and chunk files from chunks given as {track, plain, start_us, end_us, frame_count}. */
export function sealRecording({ chunks, startedUs, endedUs, mediaType, ownerPublic, sessionKey, seed, title }) {
  const recorder = sodium.crypto_sign_seed_keypair(seed);
  const session = derive('lucid v1 session id', recorder.publicKey, u64(startedUs), sessionKey);
  const files = new Map();
  let sequence = 1;
  const tracks = ['video', 'events']
    .map((track) => {
      const mine = chunks.filter((chunk) => chunk.track === track);
      return {
        track,
        media_type: track === 'video' ? mediaType : 'application/jsonl',
        chunks: mine.map((chunk, index) => {
          const place = {
            ...chunk,
            session,
            index,
            last: index === mine.length - 1,
            first_sequence: sequence,
            last_sequence: sequence + 1,
          };
          sequence += 2;
          const { file, record } = sealChunk(chunk.plain, place, sessionKey);
          files.set(`${track}/${index}`, file);
          return record;
        }),
      };
    })
    .filter(({ chunks: made }) => made.length > 0);
  const manifest = canonical({
    ended_us: endedUs,
    format: 'lucid manifest',
    gap_count: 0,
    interrupted: false,
    key_commitment: hex(derive('lucid v1 session key commitment', sessionKey)),
    keys: [{ recipient: hex(ownerPublic), sealed: hex(sodium.crypto_box_seal(sessionKey, ownerPublic)) }],
    owner: 'alice',
    reason: 'end of source',
    recorder: hex(recorder.publicKey),
    root: hex(root(tracks.flatMap(({ chunks: made }) => made.map((chunk) => Buffer.from(chunk.root, 'hex'))))),
    session: hex(session),
    software: 'lucid 0.1.0',
    source: 'generator:clock',
    started_us: startedUs,
    title,
    tracks,
    version: 1,
  });
  const signed = Buffer.concat([bytes('lucid v1 manifest signature\0'), blake3(bytes(manifest))]);
  return {
    id: hex(session),
    manifest,
    signature: hex(sodium.crypto_sign_detached(signed, recorder.privateKey)),
    files,
    tracks,
  };
}

/** The boxes of an MP4 file: its init segment and its fragments. */
function segments(file) {
  const found = { init: [], fragments: [] };
  for (let at = 0; at < file.length;) {
    const size = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const box = file.subarray(at, at + size);
    if (type === 'moof') found.fragments.push([box]);
    else if (type === 'mdat') found.fragments.at(-1).push(box);
    else if (type === 'ftyp' || type === 'moov') found.init.push(box);
    at += size;
  }
  return { init: Buffer.concat(found.init), fragments: found.fragments.map((boxes) => Buffer.concat(boxes)) };
}

const secondsOfFragment = 2;
const fragmentsOfChunk = 4;
const frameRate = 10;

/** A test picture of `seconds`, its session key of bytes from `first`; undefined where ffmpeg with libx264 is not there. */
export function makePlayable(seconds, ownerPublic, title = 'Test picture', first = 0) {
  const made = spawnSync(
    'nice',
    [
      '-n',
      '19',
      'ffmpeg',
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      `testsrc2=size=640x360:rate=${frameRate}`,
      '-t',
      String(seconds),
      '-c:v',
      'libx264',
      '-threads',
      '1',
      '-preset',
      'ultrafast',
      '-profile:v',
      'main',
      '-pix_fmt',
      'yuv420p',
      '-g',
      String(secondsOfFragment * frameRate),
      '-bf',
      '0',
      '-f',
      'mp4',
      '-movflags',
      'empty_moov+default_base_moof+frag_keyframe',
      '-',
    ],
    { maxBuffer: 1 << 28 },
  );
  if (made.status !== 0) return undefined;
  const { init, fragments } = segments(made.stdout);
  const startedUs = 1_763_720_000_000_000;
  const chunks = [];
  for (let i = 0; i < fragments.length; i += fragmentsOfChunk) {
    const part = fragments.slice(i, i + fragmentsOfChunk);
    const start_us = startedUs + i * secondsOfFragment * 1e6;
    const end_us = Math.min(start_us + part.length * secondsOfFragment * 1e6, startedUs + seconds * 1e6);
    chunks.push({
      track: 'video',
      plain: Buffer.concat([init, ...part]),
      start_us,
      end_us,
      frame_count: part.length * secondsOfFragment * frameRate,
    });
  }
  const events = ['start', 'focus', 'end']
    .map((event, i) => JSON.stringify({ at_us: startedUs + i * 1e6 * (seconds / 2), event, detail: `example ${i}` }))
    .join('\n');
  chunks.push({
    track: 'events',
    plain: bytes(`${events}\n`),
    start_us: startedUs,
    end_us: startedUs + seconds * 1e6,
    frame_count: 0,
  });
  return sealRecording({
    chunks,
    startedUs,
    endedUs: startedUs + seconds * 1e6,
    mediaType: 'video/mp4',
    ownerPublic,
    sessionKey: Uint8Array.from({ length: 32 }, (_, i) => first + i),
    seed: Uint8Array.from({ length: 32 }, (_, i) => 0x40 + i),
    title,
  });
}
