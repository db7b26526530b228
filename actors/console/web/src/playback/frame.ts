// One frame out of an opened chunk, as a small picture.
import { playableType } from './codec.ts';
import { Failure } from './failure.ts';
import { settled } from './source_buffer.ts';

const waitMsMax = 10_000; // Of the browser's decoder, for one picture.
const intoSeconds = 1; // The very first frame is often one before anything was drawn.

export interface PictureSize {
  width: number;
  height: number;
}

const once = (target: EventTarget, name: string) =>
  new Promise<void>((resolve) => target.addEventListener(name, () => resolve(), { once: true }));

/** Rejects when the browser gives up on `video`, or took too long. */
function failureOf(video: HTMLVideoElement): Promise<never> {
  return new Promise((_, reject) => {
    video.addEventListener('error', () => reject(new Failure('unsupported', 'the browser cannot decode it')), {
      once: true,
    });
    AbortSignal.timeout(waitMsMax).addEventListener('abort', () =>
      reject(new Failure('unsupported', 'the browser took too long to decode it')),
    );
  });
}

/** The whole frame in the middle of a picture of `size`, black around it. */
function draw(video: HTMLVideoElement, { width, height }: PictureSize): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const scale = Math.min(width / video.videoWidth, height / video.videoHeight);
  const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.fillRect(0, 0, width, height);
  context.drawImage(video, (width - w) / 2, (height - h) / 2, w, h);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (picture) => (picture ? resolve(picture) : reject(new Failure('unsupported', 'the browser makes no picture of it'))),
      'image/jpeg',
      0.85,
    ),
  );
}

async function seekInto(video: HTMLVideoElement, plain: ArrayBuffer, source: MediaSource, type: string): Promise<void> {
  await once(source, 'sourceopen');
  const buffer = source.addSourceBuffer(type);
  buffer.appendBuffer(plain);
  await settled(buffer);
  if (buffer.buffered.length === 0) throw new Failure('unsupported', 'the browser finds no frame in it');
  if (video.readyState < HTMLMediaElement.HAVE_METADATA) await once(video, 'loadedmetadata');
  const [start, end] = [buffer.buffered.start(0), buffer.buffered.end(0)];
  const sought = once(video, 'seeked');
  video.currentTime = Math.min(start + intoSeconds, (start + end) / 2);
  await sought;
}

/** A JPEG of a frame near the beginning of `plain`, a video chunk of the stated type. Throws a Failure. */
export async function pictureOf(plain: ArrayBuffer, mediaType: string, size: PictureSize): Promise<Blob> {
  const type = playableType(mediaType, plain);
  if (!MediaSource.isTypeSupported(type)) throw new Failure('unsupported', `this browser does not play ${type}`);
  const video = document.createElement('video');
  const source = new MediaSource();
  const address = URL.createObjectURL(source);
  video.muted = true;
  video.preload = 'auto';
  video.src = address;
  try {
    await Promise.race([seekInto(video, plain, source, type), failureOf(video)]);
    return await draw(video, size);
  } finally {
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(address);
  }
}
