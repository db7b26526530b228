// One recording under the owner's key: manifest checked, session key unwrapped, chunks opened one by one.
import { type Bytes, fromHex, same, toHex } from './bytes.ts';
import { checkChunk, openChunk } from './chunk_file.ts';
import { contexts, derive } from './digests.ts';
import { damaged, malformed, wrongKey } from './failure.ts';
import type { BoxKey } from './key_file.ts';
import { checkSignature, type Manifest, readManifest, type TrackName } from './manifest.ts';
import type { Sodium } from './sodium.ts';

function unwrap(sodium: Sodium, manifest: Manifest, key: BoxKey): Bytes {
  const wrapped = manifest.keys.find(({ recipient }) => same(recipient, key.publicKey));
  if (!wrapped)
    throw wrongKey(
      `key ${key.name} (${toHex(key.publicKey).slice(0, 12)}) is not among the ` +
        `${manifest.keys.length} that this recording was sealed for`,
    );
  let sessionKey: Bytes;
  try {
    sessionKey = sodium.crypto_box_seal_open(wrapped.sealed, key.publicKey, key.secretKey) as Bytes;
  } catch {
    throw damaged(`the session key that was sealed for key ${key.name} does not open`);
  }
  if (sessionKey.length !== 32 || !same(derive(contexts.sessionKeyCommitment, sessionKey), manifest.key_commitment))
    throw wrongKey(`what was sealed for key ${key.name} is not the key of this recording`);
  return sessionKey;
}

/** Owns the session key until `close`. */
export class Recording {
  private constructor(
    private readonly sodium: Sodium,
    readonly manifest: Manifest,
    private readonly sessionKey: Bytes,
  ) {}

  /** Checks the manifest (form, root, session, signature), then unwraps its key under `key`. Throws a Failure. */
  static open(sodium: Sodium, session: string, manifestBytes: Bytes, signature: string, key: BoxKey): Recording {
    const manifest = readManifest(manifestBytes);
    if (toHex(manifest.session) !== session) throw damaged('manifest: it is that of another recording');
    checkSignature(sodium, manifest, fromHex(signature, 64, 'signature'));
    return new Recording(sodium, manifest, unwrap(sodium, manifest, key));
  }

  /** The plaintext of the chunk whose file this is. */
  chunk(track: TrackName, index: number, file: Bytes): Bytes {
    const stated = this.manifest.tracks.find((one) => one.track === track)?.chunks[index];
    if (!stated) throw malformed(`the manifest has no ${track} chunk ${index}`);
    const place = { session: this.manifest.session, track, stated };
    checkChunk(file, place);
    return openChunk(this.sodium, file, place, this.sessionKey);
  }

  close(): void {
    this.sodium.memzero(this.sessionKey);
  }
}
