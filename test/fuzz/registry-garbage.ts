// Requests that no client should send. None of them may be a valid change of a subject that the model watches.
import type { Random } from '../support/seeded-random.ts'

export interface Garbage {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']
const SEGMENTS = [
  'subjects',
  'versions',
  'schemas',
  'ids',
  'config',
  'mode',
  'compatibility',
  'contexts',
  'latest',
  '-1',
  '0',
  '99999999999999999999',
  '%00',
  '%ff',
  '%',
  '..',
  'garbage',
  ':.other:garbage',
  '%F0%9F%9A%87',
  '',
]
const QUERIES = [
  '',
  '?',
  '?permanent',
  '?deleted=perhaps',
  '?format=%',
  '?offset=-1&limit=x',
  '?normalize=1',
]
const SCHEMA =
  '{"type":"record","name":"G","namespace":"a.b","fields":[{"name":"f","type":["null",{"type":"map","values":"int"}],"default":null}]}'

export function garbage(random: Random): Garbage {
  if (random.chance(0.5)) return spoiltSchema(random)
  const path = `/${Array.from({ length: random.int(0, 5) }, () => random.pick(SEGMENTS)).join('/')}`
  const method = random.pick(METHODS)
  // Deleting or setting something for all subjects is a valid request: those have a test of their own.
  const isGlobal = /^\/+(config|mode)\/*$/.test(path) && method !== 'GET'
  const body = method === 'GET' || method === 'DELETE' ? undefined : anyBody(random)
  return {
    method: isGlobal ? 'GET' : method,
    path: path + random.pick(QUERIES),
    body: isGlobal ? undefined : body,
  }
}

/** A schema with some of its characters changed, for a subject that nobody watches. */
function spoiltSchema(random: Random): Garbage {
  let schema = SCHEMA
  for (let turn = random.int(1, 4); turn > 0; turn--) {
    const at = random.int(0, schema.length - 1)
    const piece = random.pick([
      '',
      '"',
      '{',
      ']',
      ',',
      '\\',
      '\u0000',
      'é',
      '9e999',
      schema.slice(0, at),
    ])
    schema = schema.slice(0, at) + piece + schema.slice(at + random.int(0, 3))
  }
  const deep = random.chance(0.05) ? '{"type":"array","items":'.repeat(5_000) : schema
  return {
    method: 'POST',
    path: random.pick([
      '/subjects/garbage/versions',
      '/subjects/garbage',
      '/compatibility/subjects/garbage/versions',
    ]),
    body: random.chance(0.1)
      ? deep
      : { schema: deep, schemaType: random.pick([undefined, 'AVRO', 'JSON', 'NOPE', 7]) },
  }
}

function anyBody(random: Random): unknown {
  return random.pick<unknown>([
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '{"schema":',
    '{"schema":null}',
    '{"schema":{"type":"int"}}',
    '{"compatibility":"SOMETIMES"}',
    '{"mode":17}',
    '{"references":[{"name":"x"}],"schema":"\\"int\\""}',
    `{"schema":"${'x'.repeat(5_000)}"}`,
    '['.repeat(20_000),
  ])
}
