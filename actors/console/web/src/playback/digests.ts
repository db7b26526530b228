// H and D of docs/format.md, "Digests", and the trees made of them.
import { blake3 } from '@noble/hashes/blake3.js';
import { type Bytes, join, utf8 } from './bytes.ts';

/** The contexts that a reader of recordings needs. Source: docs/format.md, "Contexts". */
export const contexts = {
  merkleLeaf: utf8('lucid v1 merkle leaf'),
  merkleNode: utf8('lucid v1 merkle node'),
  sessionKeyCommitment: utf8('lucid v1 session key commitment'),
  chunkKey: utf8('lucid v1 chunk key'),
  chunkKeyCommitment: utf8('lucid v1 chunk key commitment'),
  chunkHeader: utf8('lucid v1 chunk header'),
  keyFile: utf8('lucid v1 key file'),
} as const;

export const digestSize = 32;
export const blockSize = 16_384;

export const hash = (data: Uint8Array): Bytes => blake3(data) as Bytes;
export const derive = (context: Uint8Array, data: Uint8Array): Bytes => blake3(data, { context }) as Bytes;

/** The root over `leaves`, which are digests already; 32 zero bytes over none. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return new Uint8Array(digestSize);
  if (leaves.length === 1) return leaves[0]!;
  const left = 2 ** Math.floor(Math.log2(leaves.length - 1)); // The largest power of two below the number of leaves.
  return derive(contexts.merkleNode, join(merkleRoot(leaves.slice(0, left)), merkleRoot(leaves.slice(left))));
}

/** The leaf hashes of a chunk file: one for each block of 16 KiB. */
export function leavesOf(file: Uint8Array): Bytes[] {
  const leaves: Bytes[] = [];
  for (let at = 0; at < file.length; at += blockSize)
    leaves.push(derive(contexts.merkleLeaf, file.subarray(at, at + blockSize)));
  return leaves;
}
