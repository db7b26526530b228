// docs/api/console.openapi.yaml as something to check requests and answers with.
import { readFileSync } from 'node:fs';
import { load } from './packages.mjs';

const { default: Ajv } = await load('ajv');
const { default: yaml } = await load('yaml');

export const contract = yaml.parse(readFileSync(new URL('../../docs/api/console.openapi.yaml', import.meta.url), 'utf8'));

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addFormat('int64', true).addFormat('binary', true).addFormat('password', true);
ajv.addSchema({ $id: 'contract', ...contract });

const compiled = new Map();
/** What is wrong with `value` by the schema at `pointer`; '' if nothing is. */
export function defects(pointer, value) {
  if (!compiled.has(pointer)) compiled.set(pointer, ajv.compile({ $ref: `contract#${pointer}` }));
  const check = compiled.get(pointer);
  if (check(value)) return '';
  return check.errors
    .slice(0, 5)
    .map(({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`)
    .join('; ');
}

export const schemaOf = (name) => `/components/schemas/${name}`;

const escape = (text) => text.replaceAll('~', '~0').replaceAll('/', '~1');
const follow = (object) =>
  object?.$ref
    ? object.$ref
        .slice(2)
        .split('/')
        .reduce((at, name) => at[name], contract)
    : object;

/** Every operation with its address, method, parameters and pointer. */
export const operations = Object.entries(contract.paths).flatMap(([address, item]) =>
  ['get', 'post', 'delete']
    .filter((method) => item[method])
    .map((method) => ({
      address,
      method,
      pointer: `/paths/${escape(address)}/${method}`,
      ...item[method],
      parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(follow),
      pattern: new RegExp(`^${address.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    })),
);

/** The operation that a request asks for; those without a place for names come first. */
export function operationOf(method, path) {
  const fitting = operations.filter((one) => one.method === method.toLowerCase() && one.pattern.test(path));
  return fitting.sort((a, b) => a.address.split('{').length - b.address.split('{').length)[0];
}

/** What is wrong with an answer in JSON. */
export function answerDefects(operation, status, value) {
  const answers = operation.responses;
  const name = answers[status] ? String(status) : 'default';
  const answer = answers[name];
  if (!answer || (name === 'default' && status < 400)) return `status ${status} is not one of ${operation.operationId}`;
  const base = answer.$ref ? answer.$ref.slice(1) : `${operation.pointer}/responses/${name}`;
  return follow(answer).content?.['application/json'] ? defects(`${base}/content/application~1json/schema`, value) : '';
}

/** A schema whose references lead into the contract. */
const absolute = (schema) => (schema.$ref ? { $ref: `contract${schema.$ref}` } : schema);

/** What is wrong with a request: parameters that are not named, a body that breaks its schema. */
export function requestDefects(operation, query, body) {
  const known = operation.parameters.filter((one) => one.in === 'query');
  const unknown = [...query.keys()].find((name) => !known.some((one) => one.name === name));
  if (unknown !== undefined) return `there is no parameter ${unknown}`;
  for (const { name, required, schema } of known) {
    const given = query.get(name);
    if (given === null && required) return `the parameter ${name} is missing`;
    if (given === null) continue;
    const numeric = follow(schema).type === 'integer';
    if (!ajv.validate(absolute(schema), numeric ? Number(given) : given))
      return `the parameter ${name} is wrong: ${ajv.errorsText()}`;
  }
  if (operation.requestBody) return defects(`${operation.pointer}/requestBody/content/application~1json/schema`, body);
  return Object.keys(body).length > 0 ? 'this request takes no body' : '';
}
