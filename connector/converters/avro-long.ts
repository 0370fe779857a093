// 64-bit numbers as bigint in avsc's cursor, without a buffer for each.

/** The part of avsc's cursor that numbers need. */
export interface LongTap {
  readonly buf: Buffer
  pos: number
  writeLong(n: number): void
}

const MAX = 2n ** 63n - 1n
const MIN = -(2n ** 63n)
/** Below this, avsc's own arithmetic on doubles is exact, also after the doubling of zigzag. */
const EXACT = 2 ** 52
const EXACT_BIG = BigInt(EXACT)

export const isLong = (value: bigint): boolean => value >= MIN && value <= MAX

/** Writes a number within 64 bits as a zigzag varint. */
export function writeLong(tap: LongTap, value: bigint): void {
  if (value < EXACT_BIG && value > -EXACT_BIG) {
    tap.writeLong(Number(value))
    return
  }
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  while (rest > 0x7fn) {
    tap.buf[tap.pos++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  tap.buf[tap.pos++] = Number(rest)
}

/** Reads a zigzag varint. Past the end of the buffer it reads zeros and leaves `pos` behind the end. */
export function readLong(tap: LongTap): bigint {
  const { buf } = tap
  let low = 0 // 28 bits.
  let middle = 0 // 21 more, so that both together stay exact in a double.
  let shift = 0
  let byte = 0
  do {
    byte = buf[tap.pos++] ?? 0
    if (shift < 28) low |= (byte & 0x7f) << shift
    else middle |= (byte & 0x7f) << (shift - 28)
    shift += 7
  } while (byte >= 0x80 && shift < 49)
  const exact = middle * 0x10000000 + low
  if (byte < 0x80) return BigInt((exact & 1) === 1 ? -(exact + 1) / 2 : exact / 2)
  let raw = BigInt(exact)
  for (let at = 49n; byte >= 0x80 && at < 70n; at += 7n) {
    byte = buf[tap.pos++] ?? 0
    raw |= BigInt(byte & 0x7f) << at
  }
  raw = BigInt.asUintN(64, raw)
  return (raw & 1n) === 1n ? -(raw >> 1n) - 1n : raw >> 1n
}
