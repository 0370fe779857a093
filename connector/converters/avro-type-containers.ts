// What Connect makes of Avro's maps and unions.
import { type Codec, type TypeCodec, misfit, type Tap } from './avro-custom-type.ts'
import { DataError } from '../api/errors.ts'
import { isObject } from './avro-node.ts'

/** A MAP with text keys: read as a `Map`; a plain object is written too. */
export function mapType(values: TypeCodec): Codec {
  const expects = 'a Map or an object with text keys'
  return {
    expects,
    read: (tap) => readMap(tap, values),
    write: (tap, value) => {
      const pairs = pairsOf(value)
      if (pairs === undefined) misfit(expects)
      if (pairs.length > 0) tap.writeLong(pairs.length)
      for (const [key, item] of pairs) {
        tap.writeString(key)
        values.write(tap, item)
      }
      tap.writeLong(0)
    },
    check: (value, flags, hook, path) => {
      const pairs = pairsOf(value)
      if (pairs === undefined) {
        hook?.(value, { typeName: expects })
        return false
      }
      return pairs.every(([key, item]) => {
        path.push(key)
        const fits = values.check(item, flags, hook, path)
        path.pop()
        return fits
      })
    },
  }
}

function readMap(tap: Tap, values: TypeCodec): Map<string, unknown> {
  const map = new Map<string, unknown>()
  for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
    if (count < 0) {
      count = -count
      tap.readLong() // The block's size in bytes, for who wants to skip it.
    }
    for (; count > 0 && tap.pos <= tap.buf.length; count--) {
      const key = tap.readString()
      map.set(key, values.read(tap))
    }
  }
  return map
}

function pairsOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (value instanceof Map) {
    const pairs = [...(value as ReadonlyMap<unknown, unknown>)]
    return pairs.every(([key]) => typeof key === 'string')
      ? (pairs as [string, unknown][])
      : undefined
  }
  return isObject(value) ? Object.entries(value) : undefined
}

/** A union of one type, with null or without: the value itself. `undefined` is written as null. */
export function optionalType(
  types: readonly TypeCodec[],
  names: readonly (string | undefined)[],
): Codec {
  const index = names.findIndex((name) => name !== undefined)
  const nullIndex = names.indexOf(undefined)
  const type = types[index]
  if (type === undefined) {
    return {
      expects: 'null',
      read: (tap) => (tap.readLong() === 0 ? null : badIndex(tap)),
      write: (tap, value) => (value == null ? tap.writeLong(0) : misfit('null')),
    }
  }
  const expects = `${type.expects}${nullIndex < 0 ? '' : ', or null'}`
  return {
    expects,
    read: (tap) => {
      const branch = tap.readLong()
      if (branch === index) return type.read(tap)
      return branch === nullIndex ? null : badIndex(tap)
    },
    write: (tap, value) => {
      if (value == null && nullIndex >= 0) {
        tap.writeLong(nullIndex)
      } else {
        tap.writeLong(index)
        type.write(tap, value)
      }
    },
    check: (value, flags, hook, path) =>
      (value == null && nullIndex >= 0) || type.check(value, flags, hook, path),
  }
}

/** A union of several types: a struct with a value in the field of its branch, or null. */
export function unionType(
  types: readonly TypeCodec[],
  names: readonly (string | undefined)[],
): Codec {
  const expects = `a struct with one of the fields ${names.filter((name) => name !== undefined).join(', ')}`
  const nullIndex = names.indexOf(undefined)
  const indexOf = (value: unknown): number => {
    if (value == null) return nullIndex
    if (!isObject(value)) return -1
    const set = Object.keys(value).filter((key) => value[key] != null)
    return set.length === 1 ? names.indexOf(set[0]) : -1
  }
  const partOf = (value: unknown, index: number): unknown =>
    (value as Readonly<Record<string, unknown>>)[names[index] ?? '']
  return {
    expects,
    read: (tap) => {
      const branch = tap.readLong()
      const type = types[branch] ?? badIndex(tap)
      const name = names[branch]
      return name === undefined ? null : { [name]: type.read(tap) }
    },
    write: (tap, value) => {
      const index = indexOf(value)
      if (index < 0) misfit(expects)
      tap.writeLong(index)
      if (index !== nullIndex) types[index]?.write(tap, partOf(value, index))
    },
    check: (value, flags, hook, path) => {
      const index = indexOf(value)
      if (index === nullIndex && index >= 0) return true
      const type = types[index]
      if (type !== undefined) return type.check(partOf(value, index), flags, hook, path)
      hook?.(value, { typeName: expects })
      return false
    },
  }
}

function badIndex(tap: Tap): never {
  throw new DataError(`An Avro union has no branch of the number before byte ${tap.pos}.`)
}
