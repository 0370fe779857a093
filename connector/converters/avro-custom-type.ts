// oxlint-disable no-underscore-dangle -- avsc's types call each other by these names
//
// One avsc type of our own making: how it reads, writes and checks is given. avsc's cursor is moved
// directly, since its public hook for longs makes two buffers for each number.
import avsc, { type Type } from 'avsc'
import { DataError } from '../api/errors.ts'
import type { LongTap } from './avro-long.ts'

/** avsc's cursor. Written past its end it goes on counting, and avsc asks again with more room. */
export interface Tap extends LongTap {
  readLong(): number
  readString(): string
  writeString(text: string): void
  readFixed(size: number): Buffer | undefined
  writeFixed(bytes: Buffer, length?: number): void
  readBytes(): Buffer | undefined
  writeBytes(bytes: Buffer): void
}

/** Is told the innermost part of a value that can't be written, and its type. */
type Hook = (value: unknown, type: unknown) => void

/** Reads and writes one type. */
export interface Codec {
  /** For people: what a value must be. */
  readonly expects: string
  read(tap: Tap): unknown
  write(tap: Tap, value: unknown): void
  /** Whether the value can be written. Without one, writing is tried. */
  check?(value: unknown, flags: unknown, hook: Hook | undefined, path: string[]): boolean
}

/** A codec that can check, as all of avsc's own can. */
export type TypeCodec = Required<Codec>

/** The value is not of the type. Becomes a `DataError` with a path where a whole record is written. */
export class Misfit extends DataError {}

/** What avsc's own types have, and its typings leave out. */
interface Internal {
  _read(tap: Tap): unknown
  _write(tap: Tap, value: unknown): void
  _check(value: unknown, flags: unknown, hook: Hook | undefined, path: string[]): boolean
}

const SCRATCH_BYTES = 1024

/** An avsc type that does what `codec` says. */
export class CustomType extends avsc.types.LogicalType implements Internal {
  readonly codec: Codec
  constructor(codec: Codec) {
    super({ type: 'null' }, {})
    this.codec = codec
  }
  _read(tap: Tap): unknown {
    return this.codec.read(tap)
  }
  _write(tap: Tap, value: unknown): void {
    this.codec.write(tap, value)
  }
  _check(value: unknown, flags: unknown, hook: Hook | undefined, path: string[]): boolean {
    if (this.codec.check !== undefined) return this.codec.check(value, flags, hook, path)
    try {
      this.encode(value, Buffer.alloc(SCRATCH_BYTES))
      return true
    } catch {
      hook?.(value, this) // The caller asks whether it fits, and is told where it doesn't.
      return false
    }
  }
}

/** How a type that avsc has made reads and writes. */
export function codecOf(type: Type): TypeCodec {
  // A record that contains itself is not complete yet, so its methods are looked up at each call.
  const internal = type as unknown as Internal
  return {
    expects: expectation(type),
    read: (tap) => internal._read(tap),
    write: (tap, value) => internal._write(tap, value),
    check: (value, flags, hook, path) => internal._check(value, flags, hook, path),
  }
}

/** Throws that a value is not what its type expects. */
export function misfit(expected: string): never {
  throw new Misfit(`Expected ${expected}.`)
}

/** A view on the same bytes that avsc can copy from. */
export const asBuffer = (value: Uint8Array): Buffer =>
  Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length)

/** What a value was expected to be where it could not be written. */
export const expectation = (type: unknown): string =>
  type instanceof CustomType ? type.codec.expects : ((type as Type).typeName ?? 'another type')
