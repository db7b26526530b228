// What a stranger on the machine, or a page from elsewhere, tries on a running console: all of it is refused, and counted.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { RealNode } from './real_node.mjs';

let node, port, authority, cookie, csrf;

/** Sends `bytes` and gives what comes back until the other side closes, or nothing more comes for `quiet` ms. */
function raw(bytes, quiet = 1500) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(quiet, done);
    socket.on('data', (data) => {
      text += data;
      if (/^HTTP\/1\.1 \d{3}[^]*\r\n\r\n/.test(text)) socket.setTimeout(200, done);
    });
    socket.on('close', () => resolve(text));
    socket.on('error', (error) => (text ? resolve(text) : reject(error)));
    socket.on('connect', () => socket.write(bytes));
  });
}

function ask(method, path, headers = {}, body = '') {
  const all = { Host: authority, Connection: 'close', ...headers };
  if (body || method !== 'GET') all['Content-Length'] = Buffer.byteLength(body);
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return raw(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

const status = (answer) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
const refusals = async () => {
  const answer = await ask('GET', '/v1/letters', { Cookie: cookie });
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).refusals.reduce((sum, row) => sum + row.count, 0);
};

/** That `attempt` is answered with one of `wanted`, and shows up among the refusals. */
async function refused(attempt, ...wanted) {
  const before = await refusals();
  const answer = await attempt();
  assert.ok(wanted.includes(status(answer)), `${wanted} wanted: ${answer.slice(0, 300)}`);
  assert.ok((await refusals()) > before, 'it is counted');
  return answer;
}

before(async () => {
  node = await RealNode.start();
  const link = new URL(await node.loginLink());
  ({ host: authority, port } = link);
  const answer = await ask('GET', link.pathname + link.search);
  assert.equal(status(answer), 303);
  cookie = /set-cookie: (lucid_session=[0-9a-f]{64}); Path=\/; HttpOnly; SameSite=Strict\r\n/i.exec(answer)?.[1];
  assert.ok(cookie, answer);
  csrf = /"csrf":"([0-9a-f]{64})"/.exec(await ask('GET', '/v1/me', { Cookie: cookie }))[1];
});

after(async () => {
  assert.match(node.log, /refused \(access, 1 so far\)/, 'refusals are logged');
  for (const secret of [cookie.slice(14), csrf]) assert.ok(!node.log.includes(secret), 'the log holds no secret');
  await node.stop();
});

test('a login link works once', async () => {
  const link = new URL(await node.loginLink());
  assert.equal(status(await ask('GET', link.pathname + link.search)), 303);
  await refused(() => ask('GET', link.pathname + link.search), 401);
  await refused(() => ask('GET', `/login?token=${'0'.repeat(64)}`), 401);
});

test('without a credential nothing is told', async () => {
  for (const path of ['/v1/me', '/v1/node', '/v1/actors', '/v1/sessions', '/v1/config', '/v1/log', '/v1/audit', '/v1/capsules', '/v1/ledger'])
    await refused(() => ask('GET', path), 401);
  await refused(() => ask('POST', '/v1/node/stop', {}, '{}'), 401);
  await refused(() => ask('GET', '/v1/node', { Cookie: `lucid_session=${'0'.repeat(64)}` }), 401);
  await refused(() => ask('GET', '/v1/node', { Cookie: `${cookie}; lucid_session=${'0'.repeat(64)}` }), 401);
});

test('another name for this machine is refused, with or without a credential', async () => {
  for (const Host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${Number(port) + 1}`, `${authority}.evil.example`]) {
    await refused(() => ask('GET', '/v1/node', { Host, Cookie: cookie }), 403);
    await refused(() => ask('GET', '/', { Host }), 403);
  }
});

test('a page from elsewhere is refused', async () => {
  for (const Origin of ['http://evil.example', `https://${authority}`, 'null', `http://${authority}.evil.example`])
    await refused(() => ask('GET', '/v1/node', { Origin, Cookie: cookie }), 403);
  const upgrade = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==', Cookie: cookie };
  await refused(() => ask('GET', '/v1/stream', { ...upgrade, Origin: 'http://evil.example' }), 403);
  await refused(() => ask('GET', '/v1/stream', upgrade), 403);
  assert.equal(status(await ask('GET', '/v1/stream', { ...upgrade, Origin: `http://${authority}` })), 101);
});

test('a change without the token that only our page knows is refused', async () => {
  const drain = (headers) => ask('POST', '/v1/node/drain', { Cookie: cookie, ...headers }, '{"on":true}');
  await refused(() => drain({}), 403);
  await refused(() => drain({ 'X-Lucid-CSRF': '0'.repeat(64) }), 403);
  const answer = await ask('GET', '/v1/node', { Cookie: cookie });
  assert.match(answer, /"draining":false/);
});

test('login links are made on the control socket alone', async () => {
  const answer = await ask('POST', '/v1/console/login', { Cookie: cookie, 'X-Lucid-CSRF': csrf }, '{}');
  assert.equal(status(answer), 403);
});

test('paths lead nowhere but to the pages', async () => {
  for (const path of ['/assets/../../etc/passwd', '/assets/..%2f..%2fetc%2fpasswd', '/../etc/passwd', '/%2e%2e/etc/passwd', '//etc/passwd'])
    await refused(() => ask('GET', path, { Cookie: cookie }), 400, 404);
  for (const id of ['..%2f..%2fkeys%2fnode', '%00', 'a'.repeat(65)])
    await refused(() => ask('GET', `/v1/capsules/${id}`, { Cookie: cookie }), 400);
});

test('methods are not mistaken for each other', async () => {
  const headers = { Cookie: cookie, 'X-Lucid-CSRF': csrf };
  for (const [method, path] of [['GET', '/v1/node/stop'], ['GET', '/v1/node/drain'], ['PUT', '/v1/node'], ['DELETE', '/v1/actors'], ['POST', '/v1/actors']]) {
    const answer = await refused(() => ask(method, path, headers), 405);
    assert.match(answer, /\r\nallow: [A-Z]/i);
  }
  await refused(() => ask('POST', '/v1/node', { ...headers, 'X-HTTP-Method-Override': 'GET' }, '{}'), 405);
  await refused(() => ask('TRACE', '/v1/node', headers), 403, 405);
});

test('what is too large is refused before it is read', async () => {
  await refused(() => raw(`GET /v1/node HTTP/1.1\r\nHost: ${authority}\r\nX: ${'a'.repeat(64 << 10)}\r\n\r\n`), 400, 413, 431);
  await refused(() => raw(`POST /v1/sessions HTTP/1.1\r\nHost: ${authority}\r\nCookie: ${cookie}\r\nContent-Length: 99999999999\r\n\r\n`), 400, 413);
  await refused(() => ask('GET', `/${'a'.repeat(60 << 10)}`), 400, 413, 414, 431);
});

test('two ways to say how long a request is are refused', async () => {
  for (const lengths of ['Content-Length: 2\r\nTransfer-Encoding: chunked', 'Content-Length: 2\r\nContent-Length: 3'])
    await refused(() => raw(`POST /v1/node/drain HTTP/1.1\r\nHost: ${authority}\r\n${lengths}\r\n\r\n{}`), 400);
  await refused(() => raw(`GET /v1/node HTTP/1.1\r\nHost: ${authority}\r\nHost: ${authority}\r\n\r\n`), 400);
});

test('those who dawdle are let go, and hold up nobody', { timeout: 40_000 }, async () => {
  const before = await refusals();
  const slow = Array.from({ length: 40 }, () => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (data) => (text += data));
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', () => resolve(text)));
    socket.write('GET /v1/node HTTP/1.1\r\n');
    const dripping = setInterval(() => socket.write('X'), 1000);
    return closed.finally(() => clearInterval(dripping));
  });
  assert.equal(status(await ask('GET', '/healthz')), 200, 'others are answered meanwhile');
  await Promise.all(slow);
  assert.ok((await refusals()) >= before + slow.length, 'each is counted');
});
