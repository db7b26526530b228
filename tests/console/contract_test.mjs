// A running node against docs/api/console.openapi.yaml: every answer has the stated form, and what is not stated is refused.
//
// LUCID_LOGIN is a login link of the node; without it the mock server is looked at. Nothing is changed on the node.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { answerDefects, contract, defects, operations, schemaOf } from './contract.mjs';
import { load } from './packages.mjs';

const WebSocket = (await load('ws')).default;
let mock;
let origin;
let cookie;
let csrf;

before(async () => {
  let link = process.env.LUCID_LOGIN;
  if (!link) {
    mock = spawn(process.execPath, [fileURLToPath(new URL('mock_server.mjs', import.meta.url)), '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    link = String((await once(mock.stdout, 'data'))[0]).split('\n')[0];
  }
  origin = new URL(link).origin;
  const answer = await fetch(link, { redirect: 'manual' });
  assert.equal(answer.status, 303);
  const set = answer.headers.get('set-cookie');
  for (const word of ['HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(set.includes(word), `the cookie lacks ${word}`);
  cookie = set.split(';')[0];
  csrf = (await ask('GET', '/v1/me')).value.csrf;
});
after(() => mock?.kill());

async function ask(method, address, { headers = {}, body } = {}) {
  const answer = await fetch(origin + address, {
    method,
    headers: { cookie, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = (answer.headers.get('content-type') ?? '').startsWith('application/json');
  return { status: answer.status, headers: answer.headers, value: isJson ? JSON.parse(text) : text };
}

/** Something that there is, for each place in an address; undefined where this node has none. */
async function things() {
  const { actors } = (await ask('GET', '/v1/actors')).value;
  const { sessions } = (await ask('GET', '/v1/sessions?count=1000')).value;
  const { blocks } = (await ask('GET', '/v1/ledger?count=1')).value;
  const { capsules } = (await ask('GET', '/v1/capsules')).value;
  const { members } = (await ask('GET', '/v1/cluster')).value;
  const session = sessions.find(({ state }) => state === 'completed') ?? sessions[0];
  return {
    path: encodeURIComponent(actors.at(-1).path),
    session: session?.id,
    height: blocks[0]?.height,
    capsule: capsules[0]?.id,
    who: members.find(({ state }) => state !== 'self')?.name,
    track: 'video',
    index: 0,
  };
}

function fill(operation, there) {
  const inPath = operation.address.replaceAll(/\{(\w+)\}/g, (_, name) =>
    name === 'id' ? (operation.address.includes('capsules') ? there.capsule : there.session) : there[name],
  );
  const needed = operation.parameters.filter((one) => one.in === 'query' && one.required);
  const query = needed
    .map(
      ({ name, schema }) =>
        `${name}=${name === 'q' ? '0123' : (schema.enum ?? contract.components.schemas.ActorAction.enum)[0]}`,
    )
    .join('&');
  return inPath.includes('undefined') ? undefined : inPath + (query ? `?${query}` : '');
}

const isPlain = ({ operationId }) => !['logIn', 'getPage', 'openStream', 'logOut'].includes(operationId);

test('every answer has the form that is stated', async (t) => {
  const there = await things();
  for (const operation of operations.filter((one) => one.method === 'get' && isPlain(one))) {
    const address = fill(operation, there);
    if (!address) {
      t.diagnostic(`${operation.operationId}: this node has nothing of it`);
      continue;
    }
    const { status, value, headers } = await ask('GET', address);
    const wrong = answerDefects(operation, status, value);
    assert.equal(wrong, '', `GET ${address} (${status}): ${wrong}`);
    if (operation.operationId === 'getManifest' && status === 200)
      assert.match(headers.get('x-lucid-signature') ?? '', /^[0-9a-f]{128}$/);
  }
});

test('without a session nothing is told', async () => {
  const there = await things();
  for (const operation of operations.filter((one) => isPlain(one) && one.security?.length !== 0)) {
    const address = fill(operation, there);
    if (!address) continue;
    const { status, value } = await ask(operation.method.toUpperCase(), address, { headers: { cookie: '' } });
    assert.equal(status, 401, `${operation.method} ${address}`);
    assert.equal(value.error.code, 'login_failed');
  }
});

test('a change without the token is refused, and refused in the stated form', async () => {
  const there = await things();
  for (const operation of operations.filter(({ method }) => method !== 'get')) {
    const address = fill(operation, there);
    if (!address) continue;
    for (const headers of [{}, { 'x-lucid-csrf': '0'.repeat(64) }]) {
      const { status, value } = await ask(operation.method.toUpperCase(), address, { headers, body: {} });
      assert.equal(status, 403, `${operation.method} ${address}`);
      assert.equal(defects(schemaOf('ErrorBody'), value), '');
    }
  }
});

test('what is not stated is refused', async () => {
  const headers = { 'x-lucid-csrf': csrf };
  const cases = [
    ['GET', '/v1/node?extra=1', 400],
    ['GET', '/v1/sessions?count=1001', 400],
    ['GET', '/v1/sessions?count=many', 400],
    ['GET', '/v1/actors/nobody%2Fthere', 404],
    ['GET', '/v1/nothing', 404],
    ['POST', '/v1/node/drain', 400, { on: 1 }],
    ['POST', '/v1/node/drain', 400, { on: true, extra: 1 }],
    ['POST', '/v1/log', 400, { level: 'loud' }],
    ['GET', '/v1/ledger/search?q=zz', 400],
    ['GET', `/v1/sessions/${'0'.repeat(64)}`, 404],
    ['GET', '/v1/cluster?extra=1', 400],
    ['GET', '/v1/cluster/consequence', 400],
    ['GET', '/v1/cluster/consequence?action=explode', 400],
    ['POST', '/v1/cluster/init', 400, {}],
    ['POST', '/v1/cluster/init', 400, { name: 'a'.repeat(64) }],
    ['POST', '/v1/cluster/invitations', 400, { valid_seconds: 9 }],
    ['POST', '/v1/cluster/invitations', 400, { valid_seconds: 604_801 }],
    ['DELETE', '/v1/cluster/invitations/ALL', 400],
    ['DELETE', '/v1/cluster/invitations/0123abc', 400],
    ['POST', '/v1/cluster/join', 400, { invitation: 'a'.repeat(1025) }],
    ['DELETE', '/v1/cluster/members/pi-2', 400, { sure: true }],
    ['POST', '/v1/keys/rotate', 400, { onion: 'yes' }],
    ['POST', '/v1/replication/audit', 400, { session: 'ab' }],
    ['POST', '/v1/replication/audit', 400, { session: '0'.repeat(64), from: -1 }],
  ];
  for (const [method, address, status, body] of cases) {
    const answer = await ask(method, address, { headers, body });
    assert.equal(answer.status, status, `${method} ${address} ${JSON.stringify(body)}`);
    assert.equal(defects(schemaOf('ErrorBody'), answer.value), '', address);
  }
  const confused = await ask('PUT', '/v1/node', { headers, body: {} });
  assert.ok([400, 404, 405].includes(confused.status), `PUT was answered ${confused.status}`);
});

test('the stream tells what is stated, and everything first', async () => {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/v1/stream`, { headers: { cookie, origin } });
  await once(socket, 'open');
  const said = [];
  socket.on('message', (data) => said.push(JSON.parse(data.toString())));
  const {
    value: { actors },
  } = await ask('GET', '/v1/actors');
  socket.send(JSON.stringify({ watch: { topics: ['actors', 'sessions', 'node', 'letters'], interval_ms: 200 } }));
  socket.send(JSON.stringify({ tap: actors.at(-1).path }));
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  for (const message of said)
    assert.equal(defects(schemaOf('StreamMessage'), message), '', JSON.stringify(message).slice(0, 300));
  for (const [topic, schema] of [
    ['actors', 'Actor'],
    ['sessions', 'Session'],
  ]) {
    const mine = said.filter((message) => message.topic === topic);
    assert.ok(mine.length > 0 && mine[0].full, `${topic} is told in full first`);
    for (const [name, item] of Object.entries(mine[0].set))
      assert.equal(defects(schemaOf(schema), item), '', `${topic} ${name}`);
    for (let i = 1; i < mine.length; ++i)
      assert.ok(mine[i].seq > mine[i - 1].seq, `${topic} ${mine[i].seq} after ${mine[i - 1].seq}`);
  }
  const wholeNode = said.find(({ topic }) => topic === 'node').set;
  const { properties } = contract.components.schemas.Machine;
  const only = (keep) => Object.fromEntries(Object.entries(wholeNode).filter(([name]) => keep(name)));
  assert.equal(
    defects(
      schemaOf('Machine'),
      only((name) => name in properties),
    ),
    '',
  );
  assert.equal(
    defects(
      schemaOf('Node'),
      only((name) => !(name in properties)),
    ),
    '',
  );
  assert.equal(defects(schemaOf('Letters'), said.find(({ topic }) => topic === 'letters').set), '');
  socket.send(JSON.stringify({ watch: { topics: [], interval_ms: 200 } }));
  socket.send(JSON.stringify({ untap: actors.at(-1).path }));
  await new Promise((resolve) => setTimeout(resolve, 400));
  const count = said.length;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(said.length, count, 'who watches nothing is told nothing');
  socket.close();
});

test('a stream without the cookie, or from another page, is refused', async () => {
  for (const headers of [{ origin }, ...(process.env.LUCID_LOGIN ? [{ cookie, origin: 'http://elsewhere.example' }] : [])]) {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/v1/stream`, { headers });
    const isOpen = await new Promise((resolve) => socket.on('open', () => resolve(true)).on('error', () => resolve(false)));
    assert.equal(isOpen, false, `opened with ${Object.keys(headers)}`);
  }
});
