// The body of a compressed chunk: exactly one zstd frame, decompressed within its bound.
import { Decompress } from 'fzstd';
import { damaged, Failure } from './failure.ts';
import type { Bytes } from './bytes.ts';

const magic = 0xfd2fb528;

/** Bytes of the frame header, by its descriptor (RFC 8878, section 3.1.1.1). 0 if it has a checksum or a dictionary. */
function headerSize(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x04) !== 0 || (descriptor & 0x03) !== 0) return 0;
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return 4 + 1 + (singleSegment ? 0 : 1) + contentSize;
}

/** Where the frame at the beginning of `body` ends; undefined if it is none of those that a chunk may hold. */
export function frameEnd(body: Uint8Array): number | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 6 || view.getUint32(0, true) !== magic) return undefined;
  let at = headerSize(body[4]!);
  if (at === 0) return undefined;
  for (;;) {
    if (at + 3 > body.length) return undefined;
    const header = body[at]! | (body[at + 1]! << 8) | (body[at + 2]! << 16);
    const isRun = ((header >> 1) & 3) === 1; // One byte, repeated.
    at += 3 + (isRun ? 1 : header >> 3);
    if (at > body.length) return undefined;
    if ((header & 1) === 1) return at;
  }
}

/** Throws `damaged` unless `body` is one frame of exactly `plainSize` bytes. */
export function decompressBody(body: Uint8Array, plainSize: number, what: string): Bytes {
  if (frameEnd(body) !== body.length) throw damaged(`${what}: its body is not one zstd frame`);
  const plain = new Uint8Array(plainSize);
  let filled = 0;
  const stream = new Decompress((part) => {
    if (filled + part.length > plainSize) throw damaged(`${what}: it decompresses to more than it states`);
    plain.set(part, filled);
    filled += part.length;
  });
  try {
    stream.push(body, true);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw damaged(`${what}: its zstd frame does not decompress (${(error as Error).message})`);
  }
  if (filled !== plainSize) throw damaged(`${what}: it decompresses to ${filled} bytes, not the ${plainSize} it states`);
  return plain;
}
