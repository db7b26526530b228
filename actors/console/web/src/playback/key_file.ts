// An owner's or node's key file: the X25519 secret that opens recordings. Source: docs/format.md, "Key files".
import { type Bytes, same, toHex, utf8 } from './bytes.ts';
import { contexts, derive } from './digests.ts';
import { canonical, Members, parseCanonical } from './document.ts';
import { damaged, Failure, malformed, wrongKey } from './failure.ts';
import type { Sodium } from './sodium.ts';

const fileSizeMax = 16_384;
const passphraseSizeMax = 1024;
const memoryMin = 1 << 20;
const memoryMax = 1 << 30;
const passesMax = 16;
const tagSize = 16;

export interface BoxKey {
  name: string;
  publicKey: Bytes;
  secretKey: Bytes;
}

interface Lock {
  salt: Bytes;
  nonce: Bytes;
  sealed: Bytes;
  passes: number;
  memoryBytes: number;
  associated: Bytes;
}
interface KeyFile {
  name: string;
  isNode: boolean;
  boxPublic: Bytes;
  secret?: Bytes;
  lock?: Lock;
}

function parse(text: string): KeyFile {
  const document = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (/^lucid-(owner|node):/.test(document))
    throw malformed('this is the public half of a key: recordings are sealed for it, but only the key file opens them');
  if (utf8(document).length > fileSizeMax) throw malformed(`a key file has at most ${fileSizeMax} bytes`);
  const value = parseCanonical(document, 'key file');
  const in_ = new Members(value, 'key file');
  if (in_.text('format', 64) !== 'lucid key') throw in_.refusal('format', 'must be "lucid key"');
  const version = in_.integer('version');
  if (version !== 1) throw new Failure('unsupported', `key file is of version ${version}; this page reads version 1`);
  const kind = in_.text('kind', 8);
  if (kind !== 'node' && kind !== 'owner') throw in_.refusal('kind', 'must be "node" or "owner"');
  const isNode = kind === 'node';
  const file: KeyFile = { name: in_.text('name', 64), isNode, boxPublic: in_.hex('box_public', 32) };
  in_.time('created_us');
  in_.hex('sign_public', isNode ? 32 : 0);
  const secretSize = isNode ? 64 : 32;
  const protection = in_.text('protection', 16);
  if (protection === 'none') file.secret = in_.hex('secret', secretSize);
  else if (protection === 'argon2id') {
    const { check: _check, sealed: _sealed, ...associated } = value;
    file.lock = {
      salt: in_.hex('salt', 16),
      nonce: in_.hex('nonce', 24),
      sealed: in_.hex('sealed', secretSize + tagSize),
      passes: in_.integer('passes', passesMax, 1),
      memoryBytes: in_.integer('memory_bytes', memoryMax, memoryMin),
      associated: utf8(canonical(associated)),
    };
  } else throw in_.refusal('protection', 'must be "none" or "argon2id"');
  const check = in_.hex('check', 32);
  in_.finish();
  const { check: _, ...checked } = value;
  if (!same(derive(contexts.keyFile, utf8(canonical(checked))), check)) throw damaged('key file was changed or damaged');
  return file;
}

/** Whether a passphrase is to be asked for. Throws what `openKeyFile` would throw of the text. */
export const needsPassphrase = (text: string) => parse(text).lock !== undefined;

function unlock(sodium: Sodium, lock: Lock, passphrase: Bytes, name: string): Bytes {
  let key: Uint8Array | undefined;
  try {
    key = sodium.crypto_pwhash(
      32,
      passphrase,
      lock.salt,
      lock.passes,
      lock.memoryBytes,
      sodium.crypto_pwhash_ALG_ARGON2ID13,
    );
  } catch {
    throw new Failure(
      'unsupported',
      `key ${name}: this browser does not give the ${lock.memoryBytes >> 20} MiB that its passphrase needs`,
    );
  }
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, lock.sealed, lock.associated, lock.nonce, key) as Bytes;
  } catch {
    throw wrongKey(`key ${name}: the passphrase does not open it`);
  } finally {
    sodium.memzero(key);
  }
}

/** The whole key. The caller wipes `secretKey`. */
export function openKeyFile(sodium: Sodium, text: string, passphrase: string): BoxKey {
  const file = parse(text);
  const phrase = utf8(passphrase);
  if (file.lock && phrase.length === 0) throw wrongKey(`key ${file.name} is under a passphrase, and none was given`);
  if (phrase.length > passphraseSizeMax) throw malformed(`a passphrase has 1 to ${passphraseSizeMax} bytes`);
  const secret = file.lock ? unlock(sodium, file.lock, phrase, file.name) : file.secret!;
  sodium.memzero(phrase);
  const secretKey = secret.slice(0, 32);
  sodium.memzero(secret);
  if (!same(sodium.crypto_scalarmult_base(secretKey), file.boxPublic))
    throw damaged(`key ${file.name}: its secret half is not that of its public half`);
  return { name: file.name, publicKey: file.boxPublic, secretKey };
}

export const fingerprint = (key: BoxKey) => toHex(key.publicKey);
