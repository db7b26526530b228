// The playback worker: the only place that holds the owner's key and the session key. It ends with its page.
import { type Bytes, toHex } from './bytes.ts';
import { Failure } from './failure.ts';
import { type BoxKey, openKeyFile } from './key_file.ts';
import { chunkOverhead, type Manifest, manifestSizeMax, plainSizeMax, type TrackName } from './manifest.ts';
import { Recording } from './recording.ts';
import { loadSodium, type Sodium } from './sodium.ts';
import type { ChunkSpan, FromWorker, GivenKey, Opened, ToWorker } from './worker_messages.ts';

let recording: Recording | undefined;
let session = '';
let kept: BoxKey | undefined;

async function fetchBytes(address: string, sizeMax: number, what: string): Promise<{ bytes: Bytes; headers: Headers }> {
  let answer: Response;
  try {
    answer = await fetch(address);
  } catch {
    throw new Failure('unreachable', `${what}: the node cannot be reached`);
  }
  if (!answer.ok) {
    const told = (await answer.json().catch(() => undefined)) as { error?: { what?: string } } | undefined;
    throw new Failure('unreachable', `${what}: ${told?.error?.what ?? `the node answered ${answer.status}`}`);
  }
  if (Number(answer.headers.get('Content-Length') ?? 0) > sizeMax)
    throw new Failure('malformed', `${what} is larger than it may be`);
  return { bytes: new Uint8Array(await answer.arrayBuffer()), headers: answer.headers };
}

function spans(manifest: Manifest, name: TrackName): ChunkSpan[] {
  const chunks = manifest.tracks.find(({ track }) => track === name)?.chunks ?? [];
  const seconds = (time_us: number) => (time_us - manifest.started_us) / 1e6;
  return chunks.map(({ index, start_us, end_us, sealed_size_bytes }) => ({
    index,
    start: seconds(start_us),
    end: seconds(end_us),
    sizeBytes: sealed_size_bytes,
  }));
}

async function keep({ keyFile, passphrase }: GivenKey): Promise<void> {
  const sodium = await loadSodium();
  if (kept) sodium.memzero(kept.secretKey);
  kept = undefined;
  kept = openKeyFile(sodium, keyFile, passphrase);
}

/** Opens under the given key, which is wiped then, or under the kept one. */
function openUnder(sodium: Sodium, given: GivenKey | undefined, manifest: Bytes, signature: string): Recording {
  const key = given ? openKeyFile(sodium, given.keyFile, given.passphrase) : kept;
  if (!key) throw new Failure('wrong_key', 'no key has been given');
  try {
    return Recording.open(sodium, session, manifest, signature, key);
  } finally {
    if (given) sodium.memzero(key.secretKey);
  }
}

async function open(ask: ToWorker & { ask: 'open' }): Promise<Opened> {
  recording?.close();
  recording = undefined;
  session = ask.session;
  const sodium = await loadSodium();
  const { bytes, headers } = await fetchBytes(`/v1/sessions/${session}/manifest`, manifestSizeMax, 'the manifest');
  const signature = headers.get('X-Lucid-Signature');
  if (signature === null) throw new Failure('malformed', 'the node gave the manifest without its signature');
  recording = openUnder(sodium, ask.given, bytes, signature);
  const manifest = recording.manifest;
  return {
    title: manifest.title,
    recorder: toHex(manifest.recorder),
    manifestHash: toHex(manifest.hash),
    seconds: (manifest.ended_us - manifest.started_us) / 1e6,
    startedUs: manifest.started_us,
    mediaType: manifest.tracks.find(({ track }) => track === 'video')?.media_type ?? '',
    video: spans(manifest, 'video'),
    events: spans(manifest, 'events'),
  };
}

async function chunk(ask: ToWorker & { ask: 'chunk' }): Promise<ArrayBuffer> {
  if (!recording) throw new Failure('wrong_key', 'no key has been given');
  const name = `${ask.track} chunk ${ask.index}`;
  const address = `/v1/sessions/${session}/chunks/${ask.track}/${ask.index}`;
  const { bytes } = await fetchBytes(address, plainSizeMax + chunkOverhead, name);
  const plain = recording.chunk(ask.track, ask.index, bytes);
  return plain.byteLength === plain.buffer.byteLength ? plain.buffer : plain.slice().buffer;
}

const say = (message: FromWorker, move: Transferable[] = []) => postMessage(message, { transfer: move });

addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
  const { number } = data;
  try {
    if (data.ask === 'keep') {
      await keep(data.given);
      return say({ number, kept: true });
    }
    if (data.ask === 'open') return say({ number, opened: await open(data) });
    const plain = await chunk(data);
    say({ number, plain }, [plain]);
  } catch (error) {
    const failed =
      error instanceof Failure
        ? { code: error.code, what: error.message }
        : { code: 'malformed' as const, what: `unexpected: ${String(error)}` };
    say({ number, failed });
  }
});
