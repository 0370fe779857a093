// The few forms of DER that a certificate is made of (X.690).

const node = (tag: number, content: Uint8Array): Buffer => {
  const { length } = content
  const size =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : [0x82, Math.floor(length / 0x100), length % 0x100]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

/** SEQUENCE. Contents of less than 64 KB, as all of this file. */
export const sequence = (...items: readonly Uint8Array[]): Buffer =>
  node(0x30, Buffer.concat(items))
/** SET of one or more. */
export const set = (...items: readonly Uint8Array[]): Buffer => node(0x31, Buffer.concat(items))
/** INTEGER of unsigned bytes. */
export const integer = (bytes: Uint8Array): Buffer =>
  node(0x02, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]))
export const boolean = (value: boolean): Buffer => node(0x01, Buffer.from([value ? 0xff : 0]))
export const octets = (bytes: Uint8Array): Buffer => node(0x04, bytes)
export const utf8 = (text: string): Buffer => node(0x0c, Buffer.from(text))
/** BIT STRING without unused bits, unless told. */
export const bits = (bytes: Uint8Array, unused = 0): Buffer =>
  node(0x03, Buffer.concat([Buffer.from([unused]), bytes]))
/** A context tag: `[number]`, constructed unless `primitive`. */
export const tagged = (number: number, content: Uint8Array, primitive = false): Buffer =>
  node((primitive ? 0x80 : 0xa0) | number, content)

/** OBJECT IDENTIFIER of a dotted name. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return node(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): readonly number[] {
  const digits = [value % 128]
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
    digits.unshift((left % 128) | 0x80)
  return digits
}

/** UTCTime until 2049, GeneralizedTime from then on, as RFC 5280 wants it. */
export function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return Number(text.slice(0, 4)) < 2_050
    ? node(0x17, Buffer.from(text.slice(2)))
    : node(0x18, Buffer.from(text))
}
