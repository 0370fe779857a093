// Reads single files out of a ZIP archive, with nothing but zlib. Enough for GTFS: stored and deflated
// entries, no encryption, no ZIP64.
import fs from 'node:fs'
import zlib from 'node:zlib'

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const END_BYTES_MAX = 22 + 0xffff

/** Opens the archive and lists its files; `read(name)` gives the bytes of one of them. */
export function openZip(file) {
  const handle = fs.openSync(file, 'r')
  const size = fs.fstatSync(handle).size
  const at = (position, length) => {
    const bytes = Buffer.alloc(length)
    fs.readSync(handle, bytes, 0, length, position)
    return bytes
  }
  const tail = at(Math.max(0, size - END_BYTES_MAX), Math.min(size, END_BYTES_MAX))
  let end = tail.length - 22
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--
  if (end < 0) throw new Error(`${file} is no ZIP archive: it has no end-of-directory record.`)
  const directory = at(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
  const entries = new Map()
  for (let p = 0; p + 46 <= directory.length && directory.readUInt32LE(p) === ENTRY_SIGNATURE; ) {
    const nameLength = directory.readUInt16LE(p + 28)
    const name = directory.toString('utf8', p + 46, p + 46 + nameLength)
    entries.set(name, {
      method: directory.readUInt16LE(p + 10),
      packed: directory.readUInt32LE(p + 20),
      offset: directory.readUInt32LE(p + 42),
    })
    p += 46 + nameLength + directory.readUInt16LE(p + 30) + directory.readUInt16LE(p + 32)
  }
  return {
    names: [...entries.keys()],
    read(name) {
      const entry = entries.get(name)
      if (entry === undefined) throw new Error(`${file} has no file ${name}.`)
      const local = at(entry.offset, 30)
      const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
      const bytes = at(start, entry.packed)
      if (entry.method === 0) return bytes
      if (entry.method === 8) return zlib.inflateRawSync(bytes)
      throw new Error(`${name} in ${file} is packed by method ${entry.method}; 0 and 8 are known.`)
    },
  }
}
