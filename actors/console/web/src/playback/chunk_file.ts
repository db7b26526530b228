// A sealed chunk: judged against the manifest, then opened. Source: docs/format.md, "Chunk file".
import { type Bytes, join, same } from './bytes.ts';
import { contexts, derive, hash, leavesOf, merkleRoot } from './digests.ts';
import { damaged, Failure, wrongKey } from './failure.ts';
import { chunkOverhead, type ManifestChunk, type TrackName, trackNames } from './manifest.ts';
import type { Sodium } from './sodium.ts';
import { decompressBody } from './zstd_body.ts';

const headerSize = 192;
const checkedSize = 160;
const flagLast = 1;
const flagCompressed = 2;

export interface ChunkPlace {
  session: Bytes;
  track: TrackName;
  stated: ManifestChunk;
}

const nameOf = ({ track, stated }: ChunkPlace) => `${track} chunk ${stated.index}`;

/** Size, content digest and Merkle root are those of the manifest. Needs no key. */
export function checkChunk(file: Bytes, place: ChunkPlace): void {
  const name = nameOf(place);
  if (file.length !== place.stated.sealed_size_bytes)
    throw damaged(`${name} has ${file.length} bytes, the manifest states ${place.stated.sealed_size_bytes}`);
  if (!same(hash(file), place.stated.content))
    throw damaged(`${name} is not what was sealed: its digest is not that of the manifest`);
  if (!same(merkleRoot(leavesOf(file)), place.stated.root))
    throw damaged(`${name} is not what was sealed: its Merkle root is not that of the manifest`);
}

interface Header {
  compressed: boolean;
  plainSize: number;
  nonce: Bytes;
  commitment: Bytes;
}

/** Reads the header in the order in which docs/format.md judges it. */
function readHeader(file: Bytes, place: ChunkPlace): Header {
  const name = nameOf(place);
  if (file.length < headerSize) throw damaged(`${name} is truncated: it has no whole header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (new TextDecoder().decode(file.subarray(0, 8)) !== 'lucidchk') throw damaged(`${name} does not begin like a chunk`);
  const version = view.getUint16(8, true);
  if (version > 1) throw new Failure('unsupported', `${name} is of version ${version}; this page reads version 1`);
  if (!same(derive(contexts.chunkHeader, file.subarray(0, checkedSize)), file.subarray(checkedSize, headerSize)))
    throw damaged(`${name}: its header is damaged`);

  const { session, track, stated } = place;
  const flags = view.getUint8(11);
  const number = (offset: number) => Number(view.getBigUint64(offset, true));
  const time = (offset: number) => Number(view.getBigInt64(offset, true));
  const plainSize = number(48);
  const compressed = (flags & flagCompressed) !== 0;
  const body = file.length - chunkOverhead;
  const good =
    version === 1 &&
    (flags & ~(flagLast | flagCompressed)) === 0 &&
    view.getUint32(100, true) === 0 &&
    trackNames[view.getUint8(10)] === track &&
    view.getUint32(12, true) === stated.index &&
    same(file.subarray(16, 48), session) &&
    plainSize === stated.plain_size_bytes &&
    number(56) === file.length &&
    number(64) === stated.first_sequence &&
    number(72) === stated.last_sequence &&
    time(80) === stated.start_us &&
    time(88) === stated.end_us &&
    view.getUint32(96, true) === stated.frame_count &&
    (compressed ? body < plainSize : body === plainSize);
  if (!good) throw damaged(`${name}: its header does not say what the manifest says of it`);
  return { compressed, plainSize, nonce: file.slice(104, 128), commitment: file.slice(128, 160) };
}

function chunkKey(sessionKey: Uint8Array, track: TrackName, index: number): Bytes {
  const place = new Uint8Array(5);
  place[0] = trackNames.indexOf(track);
  new DataView(place.buffer).setUint32(1, index, true);
  return derive(contexts.chunkKey, join(sessionKey, place));
}

/** The plaintext of a chunk that `checkChunk` let pass. */
export function openChunk(sodium: Sodium, file: Bytes, place: ChunkPlace, sessionKey: Uint8Array): Bytes {
  const name = nameOf(place);
  const header = readHeader(file, place);
  const key = chunkKey(sessionKey, place.track, place.stated.index);
  try {
    if (!same(derive(contexts.chunkKeyCommitment, key), header.commitment))
      throw wrongKey(`${name} was sealed under another key than that of its recording`);
    const body = openBody(sodium, file, header.nonce, key, name);
    return header.compressed ? decompressBody(body, header.plainSize, name) : body;
  } finally {
    sodium.memzero(key);
  }
}

function openBody(sodium: Sodium, file: Bytes, nonce: Bytes, key: Bytes, name: string): Bytes {
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      null,
      file.subarray(headerSize),
      file.subarray(0, headerSize),
      nonce,
      key,
    ) as Bytes;
  } catch {
    throw damaged(`${name} does not open: its seal is broken`);
  }
}
