// The npm packages of the console's pages, for what stands outside of their folder.
import { webcrypto } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const webFolder = fileURLToPath(new URL('../../actors/console/web/', import.meta.url));
const require = createRequire(`${webFolder}package.json`);

globalThis.crypto ??= webcrypto; // libsodium asks for it; Node.js 18 does not have it as a global.

export const load = (name) => import(pathToFileURL(require.resolve(name)));
/** Packages with an "import" entry only. */
export const loadModule = (path) => import(pathToFileURL(`${webFolder}node_modules/${path}`));
