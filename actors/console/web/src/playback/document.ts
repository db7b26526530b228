// Canonical JSON documents (docs/format.md, "Conventions"): read strictly, member by member.
import { type Bytes, fromHex, utf8 } from './bytes.ts';
import { malformed } from './failure.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The canonical form of RFC 8785, for documents whose numbers are integers and whose names are ASCII. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`);
  return `{${members.join(',')}}`;
}

/** Parses `text`, refusing whatever is not byte for byte its own canonical form. */
export function parseCanonical(text: string, what: string): { [name: string]: Json } {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw malformed(`${what} is not JSON`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw malformed(`${what} is not a JSON object`);
  if (canonical(value) !== text) throw malformed(`${what} is not in canonical form: somebody wrote it anew`);
  return value;
}

/** Takes the members of one object, each checked; `finish` refuses those that nobody took. */
export class Members {
  private readonly taken = new Set<string>();

  constructor(
    private readonly object: Json,
    private readonly what: string,
  ) {
    if (object === null || typeof object !== 'object' || Array.isArray(object)) throw malformed(`${what} must be an object`);
  }

  text(name: string, bytesMax: number): string {
    const value = this.take(name);
    if (typeof value !== 'string') throw this.refusal(name, 'must be a text');
    if (utf8(value).length > bytesMax) throw this.refusal(name, `has more than ${bytesMax} bytes`);
    return value;
  }

  integer(name: string, most = Number.MAX_SAFE_INTEGER, least = 0): number {
    const value = this.take(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most)
      throw this.refusal(name, `must be a whole number from ${least} to ${most}`);
    return value;
  }

  time(name: string): number {
    return this.integer(name, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
  }

  truth(name: string): boolean {
    const value = this.take(name);
    if (typeof value !== 'boolean') throw this.refusal(name, 'must be true or false');
    return value;
  }

  hex(name: string, size: number): Bytes {
    return fromHex(this.text(name, size * 2), size, `${this.what}: ${name}`);
  }

  list(name: string, countMax: number): Json[] {
    const value = this.take(name);
    if (!Array.isArray(value)) throw this.refusal(name, 'must be a list');
    if (value.length > countMax) throw this.refusal(name, `has more than ${countMax} items`);
    return value;
  }

  finish(): void {
    for (const name of Object.keys(this.object as object))
      if (!this.taken.has(name)) throw malformed(`${this.what} has a member that is not known: ${name.slice(0, 40)}`);
  }

  refusal(name: string, why: string) {
    return malformed(`${this.what}: ${name} ${why}`);
  }

  private take(name: string): Json | undefined {
    this.taken.add(name);
    return Object.hasOwn(this.object as object, name) ? (this.object as { [name: string]: Json })[name] : undefined;
  }
}
