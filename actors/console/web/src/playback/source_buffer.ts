// What a browser does with appended video, awaited.
import { Failure } from './failure.ts';

/** Ends when `buffer` has taken in or removed what it was told to. Throws a Failure where it cannot decode. */
export function settled(buffer: SourceBuffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    buffer.addEventListener(
      'updateend',
      () => {
        done.abort();
        resolve();
      },
      { signal: done.signal },
    );
    buffer.addEventListener(
      'error',
      () => {
        done.abort();
        reject(new Failure('damaged', 'the browser cannot decode it'));
      },
      { signal: done.signal },
    );
  });
}
