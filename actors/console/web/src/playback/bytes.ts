// Hexadecimal, joining and comparing bytes.
import { malformed } from './failure.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

export const utf8 = (text: string): Bytes => encoder.encode(text);

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Lower-case hexadecimal of exactly `size` bytes; `what` names it in the refusal. */
export function fromHex(text: string, size: number, what: string): Bytes {
  if (text.length !== size * 2 || !/^[0-9a-f]*$/.test(text))
    throw malformed(`${what} must be ${size * 2} lower-case hexadecimal digits`);
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; ++i) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function join(...parts: Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Of public values; secrets are compared by libsodium. */
export const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);
