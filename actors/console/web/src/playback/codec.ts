// What the browser must be told of the video inside an init segment: manifests name the container alone.

const searchBytesMax = 65_536; // An init segment stands at the beginning of a chunk and is a few kilobytes long.

/** "avc1.64001f" from the H.264 configuration in `init`; undefined where there is none. */
export function codecOf(init: Uint8Array): string | undefined {
  const text = new TextDecoder('latin1').decode(init.subarray(0, searchBytesMax));
  const at = text.indexOf('avcC');
  if (at < 0 || at + 8 > init.length) return undefined;
  // Behind the box's name: version, then profile, constraints and level.
  const digits = [...init.subarray(at + 5, at + 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `avc1.${digits}`;
}

/** The media type with its codec, which `chunk` of that type tells. */
export function playableType(mediaType: string, chunk: ArrayBuffer): string {
  if (mediaType.includes('codecs=')) return mediaType;
  const codec = codecOf(new Uint8Array(chunk));
  return codec === undefined ? mediaType : `${mediaType}; codecs="${codec}"`;
}
