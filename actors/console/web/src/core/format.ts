// Numbers and times as people read them. Pure: the time zone is given, not asked for.

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 1536 -> "1.5 KiB". Three digits at most, so that columns stay as wide as they are. */
export function bytes(value: number): string {
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${unit > 0 && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export const byteRate = (value: number) => `${bytes(value)}/s`;

/** 1234567 -> "1,234,567" */
export const count = (value: number) => Math.round(value).toLocaleString('en-US');

/** Messages a second: "0", "0.4", "12", "1,204". */
export function rate(value: number): string {
  if (value === 0) return '0';
  return value < 10 ? value.toFixed(1) : count(value);
}

/** 0.1234 -> "12.3 %" */
export const share = (value: number) => `${(value * 100).toFixed(value < 0.9995 ? 1 : 0)} %`;

/** 12345 -> "12.3 µs"; 0 is "0". */
export function nanoseconds(value: number): string {
  if (value <= 0) return '0';
  for (const [unit, size] of [
    ['s', 1e9],
    ['ms', 1e6],
    ['µs', 1e3],
  ] as const)
    if (value >= size) return `${digits3(value / size)} ${unit}`;
  return `${Math.round(value)} ns`;
}

const digits3 = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** 3_723_000_000 -> "1 h 02 min"; the two greatest units. */
export function duration(microseconds: number): string {
  const seconds = Math.max(0, Math.floor(microseconds / 1e6));
  const two = (value: number) => String(value).padStart(2, '0');
  const [days, hours, minutes] = [
    Math.floor(seconds / 86400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${two(hours)} h`;
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  if (minutes > 0) return `${minutes} min ${two(seconds % 60)} s`;
  return `${seconds} s`;
}

/** A place in a recording: "0:07", "1:02:03". */
export function position(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  return (hours > 0 ? `${hours}:${two(Math.floor(whole / 60) % 60)}` : `${Math.floor(whole / 60)}`) + `:${two(whole % 60)}`;
}

/** "2026-11-21 10:31:07" in the zone of the one who looks; 0 is "never". */
export function moment(microseconds: number, timeZone?: string): string {
  if (microseconds <= 0) return 'never';
  return new Date(microseconds / 1000).toLocaleString('sv-SE', { timeZone });
}

/** "10:31:07.042" */
export function clock(microseconds: number, timeZone?: string): string {
  const at = new Date(microseconds / 1000);
  const second = at.toLocaleTimeString('sv-SE', { timeZone });
  return `${second}.${String(at.getUTCMilliseconds()).padStart(3, '0')}`;
}

/** The whole moment for a tooltip, in UTC. */
export const exactMoment = (microseconds: number) => new Date(microseconds / 1000).toISOString();

/** The beginning of a hash or id, as the command line shows it. */
export const shortId = (hex: string) => (hex.length > 12 ? hex.slice(0, 12) : hex);

/** A path with the session ids in it shortened: "sessions/3f9a0c1122dd/seal". */
export const shortPath = (path: string) => path.replace(/[0-9a-f]{64}/g, shortId);

/** A sender as its neighbours know it: "capture" to "sessions/3f9a/chunk", "storage/store" to others. */
export function pathSeenFrom(path: string, other: string): string {
  const family = path.slice(0, path.lastIndexOf('/') + 1);
  return shortPath(family !== '' && other.startsWith(family) ? other.slice(family.length) : other);
}

/** The name of a message's type: all are of one namespace. */
export const typeName = (type: string) => type.replaceAll('lucid::', '');

/** What the node says of an action, as a sentence, with the ids in it shortened. */
export const sentence = (text: string) =>
  shortPath(text).replace(/^[a-z]/, (letter) => letter.toUpperCase()) + (/[.?!]$/.test(text) ? '' : '.');

/** "1 child", "4 children" */
export const plural = (value: number, one: string, many: string) => `${count(value)} ${value === 1 ? one : many}`;
