// The manifest of a recording: read, and checked by itself. Source: docs/format.md, "Manifest".
import { type Bytes, join, same, toHex, utf8 } from './bytes.ts';
import { hash, merkleRoot } from './digests.ts';
import { type Json, Members, parseCanonical } from './document.ts';
import { damaged, Failure, malformed } from './failure.ts';
import type { Sodium } from './sodium.ts';

export type TrackName = 'video' | 'events';
export const trackNames: readonly TrackName[] = ['video', 'events'];

export const manifestSizeMax = 33_554_432;
export const plainSizeMax = 16_777_216;
export const chunkOverhead = 208;
export const chunkCountMax = 2 ** 20;

export interface ManifestChunk {
  index: number;
  content: Bytes;
  root: Bytes;
  start_us: number;
  end_us: number;
  first_sequence: number;
  last_sequence: number;
  frame_count: number;
  plain_size_bytes: number;
  sealed_size_bytes: number;
}
export interface Track {
  track: TrackName;
  media_type: string;
  chunks: ManifestChunk[];
}
export interface WrappedKey {
  recipient: Bytes;
  sealed: Bytes;
}

export interface Manifest {
  hash: Bytes;
  session: Bytes;
  recorder: Bytes;
  root: Bytes;
  key_commitment: Bytes;
  keys: WrappedKey[];
  tracks: Track[];
  title: string;
  owner: string;
  source: string;
  software: string;
  reason: string;
  started_us: number;
  ended_us: number;
  gap_count: number;
  interrupted: boolean;
}

function readChunk(value: Json, index: number, before: ManifestChunk | undefined, what: string): ManifestChunk {
  const in_ = new Members(value, what);
  const chunk: ManifestChunk = {
    index: in_.integer('index', chunkCountMax - 1),
    content: in_.hex('content', 32),
    root: in_.hex('root', 32),
    start_us: in_.time('start_us'),
    end_us: in_.time('end_us'),
    first_sequence: in_.integer('first_sequence'),
    last_sequence: in_.integer('last_sequence'),
    frame_count: in_.integer('frame_count', 2 ** 32 - 1),
    plain_size_bytes: in_.integer('plain_size_bytes', plainSizeMax),
    sealed_size_bytes: in_.integer('sealed_size_bytes', plainSizeMax + chunkOverhead, chunkOverhead),
  };
  in_.finish();
  if (chunk.index !== index) throw in_.refusal('index', `is ${chunk.index} where ${index} should stand`);
  if (chunk.end_us < chunk.start_us) throw in_.refusal('end_us', 'is before start_us');
  if (chunk.last_sequence < chunk.first_sequence) throw in_.refusal('last_sequence', 'is below first_sequence');
  if (before && chunk.first_sequence <= before.last_sequence)
    throw in_.refusal('first_sequence', 'is not above the last of the chunk before');
  if (chunk.sealed_size_bytes > chunk.plain_size_bytes + chunkOverhead)
    throw in_.refusal('sealed_size_bytes', 'is above what its plaintext can need');
  return chunk;
}

function readTrack(value: Json, what: string): Track {
  const in_ = new Members(value, what);
  const name = in_.text('track', 6);
  const track = trackNames.find((known) => known === name);
  if (!track) throw in_.refusal('track', 'must be "video" or "events"');
  const read: Track = { track, media_type: in_.text('media_type', 200), chunks: [] };
  const chunks = in_.list('chunks', chunkCountMax);
  in_.finish();
  for (const [i, chunk] of chunks.entries())
    read.chunks.push(readChunk(chunk, i, read.chunks[i - 1], `manifest, ${track} chunk ${i}`));
  return read;
}

function readKeys(values: Json[]): WrappedKey[] {
  const keys = values.map((value, i) => {
    const in_ = new Members(value, `manifest, key ${i}`);
    const key = { recipient: in_.hex('recipient', 32), sealed: in_.hex('sealed', 80) };
    in_.finish();
    return key;
  });
  if (new Set(keys.map((key) => toHex(key.recipient))).size !== keys.length)
    throw malformed('manifest: a recipient stands in it twice');
  return keys;
}

/** Reads the canonical bytes; the root must be that over the chunks' roots. */
export function readManifest(bytes: Bytes): Manifest {
  if (bytes.length > manifestSizeMax)
    throw malformed(`manifest has ${bytes.length} bytes; at most ${manifestSizeMax} are allowed`);
  const in_ = new Members(parseCanonical(new TextDecoder('utf-8', { fatal: true }).decode(bytes), 'manifest'), 'manifest');
  if (in_.text('format', 64) !== 'lucid manifest') throw in_.refusal('format', 'must be "lucid manifest"');
  const version = in_.integer('version');
  if (version !== 1) throw new Failure('unsupported', `manifest is of version ${version}; this page reads version 1`);
  const manifest: Manifest = {
    hash: hash(bytes),
    session: in_.hex('session', 32),
    recorder: in_.hex('recorder', 32),
    root: in_.hex('root', 32),
    key_commitment: in_.hex('key_commitment', 32),
    keys: readKeys(in_.list('keys', 64)),
    tracks: in_.list('tracks', trackNames.length).map((track, i) => readTrack(track, `manifest, track ${i}`)),
    title: in_.text('title', 200),
    owner: in_.text('owner', 200),
    software: in_.text('software', 200),
    source: in_.text('source', 2000),
    reason: in_.text('reason', 1000),
    started_us: in_.time('started_us'),
    ended_us: in_.time('ended_us'),
    gap_count: in_.integer('gap_count'),
    interrupted: in_.truth('interrupted'),
  };
  in_.finish();
  if (manifest.ended_us < manifest.started_us) throw in_.refusal('ended_us', 'is before started_us');
  const names = manifest.tracks.map(({ track }) => track).join();
  if (!['', 'video', 'events', 'video,events'].includes(names)) throw in_.refusal('tracks', 'must be video, then events');
  const roots = manifest.tracks.flatMap(({ chunks }) => chunks.map(({ root }) => root));
  if (!same(merkleRoot(roots), manifest.root)) throw damaged('manifest: its root is not that of its chunks');
  return manifest;
}

/** Ed25519 under the manifest's own recorder key, over "lucid v1 manifest signature" 00 || hash. */
export function checkSignature(sodium: Sodium, manifest: Manifest, signature: Uint8Array): void {
  const signed = join(utf8('lucid v1 manifest signature\0'), manifest.hash);
  if (!sodium.crypto_sign_verify_detached(signature, signed, manifest.recorder))
    throw damaged('manifest: its signature does not verify under the key of its recorder');
}
