// Which page an address names: "#/actors/storage%2Fstore". Pure.

export const pageNames = [
  'tree',
  'actor',
  'capsule',
  'node',
  'cluster',
  'sessions',
  'session',
  'ledger',
  'letters',
  'audit',
] as const;
export type PageName = (typeof pageNames)[number];

/** A page and what it shows: a path, an id, a height; '' for pages that show one thing only. */
export interface Route {
  page: PageName;
  of: string;
}

const takesOne: ReadonlySet<PageName> = new Set(['actor', 'capsule', 'session', 'ledger']);
const targetBytesMax = 1000;

/** Reads the part behind '#'. Anything else than a known page is the tree. */
export function readRoute(hash: string): Route {
  const [name = '', of = ''] = hash.replace(/^#?\/?/, '').split('/', 2);
  const page = pageNames.find((known) => known === name);
  if (!page || of.length > targetBytesMax) return { page: 'tree', of: '' };
  if (!takesOne.has(page)) return { page, of: '' };
  try {
    return { page, of: decodeURIComponent(of) };
  } catch {
    return { page: 'tree', of: '' };
  }
}

export const addressOf = (page: PageName, of = '') => `#/${page}${of === '' ? '' : `/${encodeURIComponent(of)}`}`;
