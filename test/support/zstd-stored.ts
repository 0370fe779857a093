const BLOCK_BYTES_MAX = 128 * 1_024

/** `bytes` as a zstd frame of stored blocks, since this Node has no compressor of its own (RFC 8878 §3.1). */
export function zstdStored(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // No single segment, no checksum, 2^27 bytes of window: blocks may follow one another without a content size.
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88)]
  for (let at = 0; at < bytes.byteLength || at === 0; at += BLOCK_BYTES_MAX) {
    const block = bytes.subarray(at, at + BLOCK_BYTES_MAX)
    const isLast = at + BLOCK_BYTES_MAX >= bytes.byteLength
    const header = (block.byteLength << 3) | (isLast ? 1 : 0)
    parts.push(Uint8Array.of(header & 255, (header >> 8) & 255, (header >> 16) & 255), block)
  }
  return new Uint8Array(Buffer.concat(parts))
}
