// A GET as it goes over the wire: fetch would unpack what is packed.
import { get } from 'node:http';

/** Answers status, headers, and the body as it came. */
export const http = (origin, path, headers) =>
  new Promise((resolve, reject) => {
    get(new URL(path, origin), { headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }),
      );
    }).on('error', reject);
  });
