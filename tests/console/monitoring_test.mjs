// What Prometheus and Grafana are given: the files are right in themselves, and go by names that the program really tells.
// PROMTOOL and METRICS_EXAMPLE name the two programs that this needs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from './packages.mjs';

const { parse } = (await load('yaml')).default;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const config = here('../../config/');
const work = mkdtempSync(join(tmpdir(), 'lucid-monitoring-'));
after(() => rmSync(work, { recursive: true, force: true }));

function run(program, args, input) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8' });
  assert.ifError(error);
  return { status, said: stdout + stderr, stdout };
}
const promtool = (...args) => run(process.env.PROMTOOL ?? 'promtool', args);

const told = run(process.env.METRICS_EXAMPLE, []).stdout;
const names = new Set([...told.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
const rules = parse(readFileSync(join(config, 'alerts.yml'), 'utf8')).groups.flatMap((group) => group.rules);
const boards = readdirSync(join(config, 'grafana')).map((file) => ({
  file,
  ...JSON.parse(readFileSync(join(config, 'grafana', file), 'utf8')),
}));

/** Metrics in an expression that the program does not tell. */
const unknownIn = (expression) =>
  (expression.match(/\b(?:lucid|process)_[a-z0-9_]+/g) ?? []).filter((name) => !names.has(name));
/** Values of the label `state` in an expression that no sample has. */
const unknownStates = (expression) =>
  [...expression.matchAll(/state[!=~]+"([^"]*)"/g)]
    .flatMap(([, value]) => value.split('|'))
    .filter((state) => !told.includes(`state="${state}"`));
const expressionsOf = (board) => [
  ...board.panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => expr)),
  ...board.annotations.list.map(({ expr }) => expr),
];
const allExpressions = [...rules.map(({ expr }) => expr), ...boards.flatMap(expressionsOf)];

test("promtool finds nothing wrong with the program's metrics", () => {
  const { status, said } = run(process.env.PROMTOOL ?? 'promtool', ['check', 'metrics'], told);
  assert.equal(status, 0, said);
  assert.ok(names.size > 30, `${names.size} metrics are told`);
});

test('promtool takes the configuration and the rules', () => {
  for (const args of [
    ['check', 'config', join(config, 'prometheus.yml')],
    ['check', 'rules', join(config, 'alerts.yml')],
    ['test', 'rules', here('alerts_test.yml')],
  ]) {
    const { status, said } = promtool(...args);
    assert.equal(status, 0, said);
  }
});

test('a rule tells what is wrong and what to do', () => {
  assert.ok(rules.length >= 15);
  for (const { alert, labels, annotations } of rules) {
    assert.match(alert, /^Lucid[A-Z]\w+$/);
    assert.ok(['critical', 'warning', 'info'].includes(labels.severity), alert);
    for (const text of [annotations?.summary, annotations?.description])
      assert.match(text ?? '', /^.{20,}[.]$/s, `${alert}: ${text}`);
  }
  const tested = readFileSync(here('alerts_test.yml'), 'utf8');
  for (const { alert } of rules) assert.ok(tested.includes(alert), `no test makes ${alert} fire`);
});

test('rules and dashboards go by metrics and states that there are', () => {
  assert.deepEqual(unknownIn('rate(lucid_no_such_total[5m]) / lucid_actors'), ['lucid_no_such_total']);
  assert.deepEqual(unknownStates('lucid_sessions{state=~"sealing|sleeping"}'), ['sleeping']);
  for (const expression of allExpressions) {
    assert.deepEqual(unknownIn(expression), [], expression);
    assert.deepEqual(unknownStates(expression), [], expression);
  }
  for (const name of names) assert.ok(allExpressions.some((one) => one.includes(name)), `${name} is shown nowhere`);
});

test('the dashboards are whole', () => {
  assert.deepEqual(boards.map(({ file }) => file).sort(), ['actors.json', 'ledger.json', 'overview.json', 'sessions.json']);
  assert.equal(new Set(boards.map(({ uid }) => uid)).size, boards.length);
  for (const board of boards) {
    assert.ok(Number.isInteger(board.schemaVersion) && board.schemaVersion >= 36, board.file);
    assert.equal(board.id ?? null, null, `${board.file}: an id belongs to one Grafana`);
    assert.match(board.title, /^Lucid: /);
    const variables = board.templating.list.map(({ name, type }) => `${name}: ${type}`);
    assert.deepEqual(variables, ['datasource: datasource', 'instance: query']);
    assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length, board.file);
    const taken = new Map();
    for (const { title, type, description, gridPos: { x, y, w, h }, targets = [] } of board.panels) {
      const name = `${board.file}: ${title}`;
      assert.ok(type === 'row' || description, `${name}: is not explained`);
      assert.ok(['row', 'alertlist'].includes(type) || targets.length > 0, `${name}: asks for nothing`);
      for (const { datasource } of targets) assert.equal(datasource.uid, '${datasource}', name);
      assert.ok(x >= 0 && x + w <= 24, `${name}: is outside of the grid`);
      for (let at = 0; at < w * h; ++at) {
        const cell = `${x + (at % w)},${y + Math.floor(at / w)}`;
        assert.equal(taken.get(cell), undefined, `${name}: lies on ${taken.get(cell)}`);
        taken.set(cell, title);
      }
    }
  }
});

test('what the dashboards ask for is PromQL', () => {
  const check = (expressions) => {
    const file = join(work, 'rules.yml');
    const recorded = expressions.map((expr, i) => ({ record: `asked:${i}`, expr: asAsked(expr) }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'asked', rules: recorded }] })); // JSON is YAML.
    return promtool('check', 'rules', file);
  };
  const asAsked = (expr) => expr.replaceAll(/\$__(rate_)?interval/g, '5m').replaceAll('$instance', '.*');
  assert.notEqual(check(['rate(lucid_actors[5m)']).status, 0);
  const { status, said } = check(boards.flatMap(expressionsOf));
  assert.equal(status, 0, said);
});
