// Reads single files out of a ZIP archive, with nothing but zlib. Enough for GTFS: stored and deflated entries, no
// encryption, no ZIP64. An archive is somebody else's: sizes are limited and offsets checked before they are used.
// The format: PKWARE's APPNOTE.TXT, 4.3.
import fs from 'node:fs'
import zlib from 'node:zlib'

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const END_BYTES_MAX = END_BYTES + 0xffff
const ZIP64 = 0xffffffff
const ENCRYPTED = 1

/** What an archive may hold. MTA's largest table is 0.5 GB; a string in V8 ends at about as much. */
export const LIMITS = { directoryBytes: 16 << 20, entries: 100_000, entryBytes: 1 << 30 }

/**
 * Opens the archive and lists its files; `read(name)` gives the bytes of one of them, `close()` lets go of the
 * file. Throws an Error that names the file and what is wrong with it.
 */
export function openZip(file, limits = LIMITS) {
  const handle = fs.openSync(file, 'r')
  try {
    const archive = { file, handle, size: fs.fstatSync(handle).size, limits }
    const entries = readDirectory(archive)
    return {
      names: [...entries.keys()],
      read: (name) => readEntry(archive, entries, name),
      close: () => fs.closeSync(handle),
    }
  } catch (error) {
    fs.closeSync(handle)
    throw error
  }
}

/** Exactly `length` bytes at `position`. */
function bytesAt({ file, handle, size }, position, length) {
  if (position < 0 || position + length > size) {
    throw new Error(`${file} ends before byte ${position + length}, at ${size}.`)
  }
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const read = fs.readSync(handle, bytes, done, length - done, position + done)
    if (read === 0) throw new Error(`${file} became shorter while it was read.`)
    done += read
  }
  return bytes
}

function readDirectory(archive) {
  const { file, size, limits } = archive
  const tail = bytesAt(archive, Math.max(0, size - END_BYTES_MAX), Math.min(size, END_BYTES_MAX))
  let end = tail.length - END_BYTES
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--
  if (end < 0) throw new Error(`${file} is no ZIP archive: it has no end-of-directory record.`)
  const count = tail.readUInt16LE(end + 10)
  const length = tail.readUInt32LE(end + 12)
  const offset = tail.readUInt32LE(end + 16)
  if (count === 0xffff || offset === ZIP64) {
    throw new Error(`${file} is a ZIP64 archive, which is not read.`)
  }
  if (length > limits.directoryBytes || count > limits.entries) {
    throw new Error(`${file} lists ${count} files in ${length} bytes: more than is read.`)
  }
  const directory = bytesAt(archive, offset, length)
  const entries = new Map()
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) {
      throw new Error(`${file} promises ${count} files, its directory breaks off after ${i}.`)
    }
    const nameLength = directory.readUInt16LE(at + 28)
    const name = directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength)
    entries.set(name, {
      flags: directory.readUInt16LE(at + 8),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packed: directory.readUInt32LE(at + 20),
      unpacked: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    })
    at +=
      ENTRY_BYTES + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries
}

function readEntry(archive, entries, name) {
  const { file, limits } = archive
  const entry = entries.get(name)
  if (entry === undefined) throw new Error(`${file} has no file ${name}.`)
  if (entry.unpacked > limits.entryBytes || entry.packed > limits.entryBytes) {
    throw new Error(
      `${name} in ${file} has ${entry.unpacked} bytes, of ${limits.entryBytes} at most.`,
    )
  }
  if ((entry.flags & ENCRYPTED) !== 0) throw new Error(`${name} in ${file} is encrypted.`)
  const local = bytesAt(archive, entry.offset, LOCAL_BYTES)
  if (local.readUInt32LE(0) !== LOCAL_SIGNATURE) {
    throw new Error(`${name} is not where the directory of ${file} says.`)
  }
  const start = entry.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28)
  const bytes = unpack(archive, name, entry, bytesAt(archive, start, entry.packed))
  if (bytes.length !== entry.unpacked || zlib.crc32(bytes) !== entry.crc) {
    throw new Error(`${name} in ${file} is damaged: its size or checksum is another.`)
  }
  return bytes
}

function unpack({ file }, name, { method, unpacked }, bytes) {
  if (method === 0) return bytes
  if (method !== 8) {
    throw new Error(`${name} in ${file} is packed by method ${method}; 0 and 8 are known.`)
  }
  try {
    return zlib.inflateRawSync(bytes, { maxOutputLength: Math.max(1, unpacked) })
  } catch (cause) {
    throw new Error(`${name} in ${file} cannot be unpacked.`, { cause })
  }
}
