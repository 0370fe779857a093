import { DataError } from '../api/errors.ts'
import type { DecimalValue } from '../api/schema.ts'

/** A whole number from big-endian two's complement; no bytes are zero. */
export function fromTwosComplement(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}

/** The shortest big-endian two's complement of a number, at least one byte; or exactly `size` bytes. */
export function toTwosComplement(value: bigint, size?: number): Buffer {
  const magnitude = value < 0n ? -value - 1n : value
  const needed = Math.floor(magnitude.toString(2).length / 8) + 1
  // 127 and -128 take one byte, 128 and -129 two; zero has one binary digit but needs no more.
  const length = size ?? needed
  if (needed > length) throw new DataError(`The decimal ${value} does not fit ${length} bytes.`)
  const hex = BigInt.asUintN(length * 8, value).toString(16)
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex')
}

/** The unscaled number at another scale. Throws a `DataError` when digits would be lost. */
export function rescale({ unscaled, scale }: DecimalValue, target: number): bigint {
  if (scale <= target) return unscaled * 10n ** BigInt(target - scale)
  const divisor = 10n ** BigInt(scale - target)
  if (unscaled % divisor !== 0n) {
    throw new DataError(`The decimal ${unscaled}e-${scale} has digits beyond the scale ${target}.`)
  }
  return unscaled / divisor
}

/** Scale and precision of a decimal logical type, or undefined where the attributes make none. */
export function decimalOf(
  attributes: Readonly<Record<string, unknown>>,
): { readonly scale: number; readonly precision: number } | undefined {
  if (attributes['logicalType'] !== 'decimal') return undefined
  const { precision, scale = 0 } = attributes
  if (typeof precision !== 'number' || typeof scale !== 'number') return undefined
  const legal = Number.isInteger(precision) && Number.isInteger(scale) && precision > 0
  return legal && scale >= 0 && scale <= precision ? { scale, precision } : undefined
}
