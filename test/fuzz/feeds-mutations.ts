// What becomes of a good body on its way: flipped bits, lost ends, foreign parts, numbers and nesting beyond all bounds.
import { joinMessage, splitMessage } from '../../source-mta/simulator/wire-message.ts'
import type { Random } from '../support/seeded-random.ts'

const HUGE_VARINTS = [
  Buffer.from('ffffffffffffffffff01', 'hex'),
  Buffer.from('ffffffff0f', 'hex'),
  Buffer.from('ffffffffffffffffffffffffffffff7f', 'hex'),
  Buffer.from('80808080808080808000', 'hex'),
]
const NESTED_MAX = 20_000
const PART_MAX = 200
/** In place of a value of JSON. */
const ODD_VALUES: readonly unknown[] = [
  null,
  '',
  [],
  {},
  [[]],
  true,
  0,
  -1,
  1e308,
  1e-320,
  'NaN',
  '9999-99-99T99:99:99Z',
  '2026-06-10T08:25:00.000-04:00',
  '\u0000\ud800',
  'x'.repeat(5_000),
  { __proto__: null, constructor: 1, toString: 2 },
]

type Mutation = (body: Buffer, random: Random, other: Uint8Array) => Buffer

const at = (body: Buffer, random: Random): number => random.int(0, Math.max(0, body.length - 1))
const put = (body: Buffer, where: number, part: Uint8Array): Buffer =>
  Buffer.concat([body.subarray(0, where), part, body.subarray(where)])

const ANY: Readonly<Record<string, Mutation>> = {
  'bit flips': (body, random) => {
    const copy = Buffer.from(body)
    for (let flips = random.int(1, 8); flips > 0 && copy.length > 0; flips--) {
      const where = at(copy, random)
      copy[where] = (copy[where] ?? 0) ^ (1 << random.int(0, 7))
    }
    return copy
  },
  'a byte': (body, random) => {
    const copy = Buffer.from(body)
    if (copy.length > 0) copy[at(copy, random)] = random.int(0, 255)
    return copy
  },
  'a lost end': (body, random) => body.subarray(0, at(body, random)),
  'a lost beginning': (body, random) => body.subarray(at(body, random)),
  'a lost part': (body, random) => {
    const from = at(body, random)
    return Buffer.concat([body.subarray(0, from), body.subarray(from + random.int(1, PART_MAX))])
  },
  'a doubled part': (body, random) => {
    const from = at(body, random)
    return put(body, at(body, random), body.subarray(from, from + random.int(1, PART_MAX)))
  },
  'a foreign part': (body, random, other) => {
    const from = random.int(0, other.length)
    return put(body, at(body, random), other.subarray(from, from + random.int(1, PART_MAX)))
  },
  'a foreign body after it': (body, _random, other) => Buffer.concat([body, other]),
  noise: (body, random) =>
    put(body, at(body, random), Buffer.from(Array.from({ length: 40 }, () => random.int(0, 255)))),
}

const FRAMED: Readonly<Record<string, Mutation>> = {
  'a huge varint': (body, random) => put(body, at(body, random), random.pick(HUGE_VARINTS)),
  'a huge varint over it': (body, random) => {
    const copy = Buffer.from(body)
    Buffer.from(random.pick(HUGE_VARINTS)).copy(copy, at(copy, random))
    return copy
  },
  'nested groups': (body, random) =>
    put(body, at(body, random), Buffer.alloc(random.int(1, NESTED_MAX), 0x0b)),
  'nested messages': (body, random) => put(body, at(body, random), nested(random.int(1, 2_000))),
}

const PROTOBUF: Readonly<Record<string, Mutation>> = {
  ...FRAMED,
  'an entity spoilt': spoilEntity,
  'entities spoilt': (body, random, other) =>
    [1, 2, 3].reduce((copy) => spoilEntity(copy, random, other), body),
  'fewer entities': (body, random) =>
    withEntities(body, (entities) => entities.filter(() => random.chance(0.7))),
  'entities twice': (body, random) =>
    withEntities(body, (entities) => [...entities, random.pick(entities)]),
  'itself many times': (body, random) => {
    const entities = body.subarray(Math.min(body.length, 2 + (body[1] ?? 0)))
    return Buffer.concat([body, ...Array.from({ length: random.int(2, 20) }, () => entities)])
  },
}

const JSON_ONLY: Readonly<Record<string, Mutation>> = {
  'an odd value': (body, random) => replaceValues(body, random, 1),
  'odd values': (body, random) => replaceValues(body, random, 5),
  'nested lists': (body, random) =>
    put(body, at(body, random), Buffer.alloc(random.int(1, NESTED_MAX), '[')),
  'whole nested lists': (_body, random) => {
    const depth = random.int(1, NESTED_MAX)
    return Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`)
  },
}

/** A body that is framed as it should be, with something odd in one entity. */
function spoilEntity(body: Buffer, random: Random, other: Uint8Array): Buffer {
  return withEntities(body, (entities) => {
    const spoiltOne = random.int(0, entities.length - 1)
    const [, mutate] = random.pick(Object.entries({ ...ANY, ...FRAMED }))
    return entities.map((entity, index) =>
      index === spoiltOne ? mutate(Buffer.from(entity), random, other) : entity,
    )
  })
}

function withEntities(
  body: Buffer,
  change: (entities: readonly Uint8Array[]) => readonly Uint8Array[],
): Buffer {
  try {
    const { header, entities } = splitMessage(body)
    return entities.length === 0
      ? body
      : Buffer.from(joinMessage({ header, entities: change(entities) }))
  } catch {
    return body // An earlier mutation broke its frame.
  }
}

/** Length-delimited fields, each within the one before. */
function nested(depth: number): Buffer {
  const parts: Buffer[] = []
  for (let left = depth; left > 0; left--) parts.push(Buffer.of(0x12, 0x80 | (left & 0x7f), 0x7f))
  return Buffer.concat(parts)
}

/** Text that is no JSON any more stays as it is. */
function replaceValues(body: Buffer, random: Random, times: number): Buffer {
  let value: unknown
  try {
    value = JSON.parse(body.toString())
    JSON.stringify(value)
  } catch {
    return body // An earlier mutation broke it, or nested it deeper than it can be written again.
  }
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = []
  const holders: unknown[] = [value]
  for (let next = holders.pop(); next !== undefined; next = holders.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const holder = next as Record<string, unknown>
    for (const key of Object.keys(holder)) {
      places.push({ holder, key })
      if (holder[key] !== undefined) holders.push(holder[key])
    }
  }
  for (let n = 0; n < times && places.length > 0; n++) {
    const { holder, key } = random.pick(places)
    holder[key] = random.pick(ODD_VALUES)
  }
  return Buffer.from(JSON.stringify(value))
}

/** A spoilt body, and what was done to it. `other` is where foreign parts come from. */
export function spoilt(
  body: Uint8Array,
  random: Random,
  { isJson, other }: { readonly isJson: boolean; readonly other: Uint8Array },
): { readonly bytes: Uint8Array; readonly how: string } {
  const kinds = Object.entries({ ...ANY, ...(isJson ? JSON_ONLY : PROTOBUF) })
  const chosen = Array.from({ length: random.chance(0.6) ? 1 : random.int(2, 3) }, () =>
    random.pick(kinds),
  )
  const bytes = chosen.reduce<Buffer>(
    (copy, [, mutate]) => mutate(copy, random, other),
    Buffer.from(body),
  )
  return { bytes, how: chosen.map(([name]) => name).join(', ') }
}
