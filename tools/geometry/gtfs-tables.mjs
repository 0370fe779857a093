// The tables of a static GTFS feed, as arrays of objects with string values: from a ZIP archive of CSV
// files as agencies publish it, or of JSON files (one array of objects each) as some mirrors pack it.
import path from 'node:path'
import { openZip } from './zip-reader.mjs'

/**
 * Opens the feed in `file`. `prefix` is the folder inside the archive, for archives that hold several
 * feeds. `table(name)` gives all rows of a table and [] for one that is absent.
 */
export function openGtfs(file, prefix = '') {
  const zip = openZip(file)
  const names = new Set(zip.names)
  return {
    table(name) {
      const csv = path.posix.join(prefix, `${name}.txt`)
      if (names.has(csv)) return parseCsv(zip.read(csv).toString('utf8'))
      const json = path.posix.join(prefix, `${name}.json`)
      return names.has(json) ? JSON.parse(zip.read(json).toString('utf8')) : []
    },
  }
}

/** RFC 4180 with a header line; quoted fields may hold commas, quotes and line ends. */
export function parseCsv(text) {
  const rows = []
  let header
  for (const cells of csvLines(text.replace(/^\uFEFF/, ''))) {
    if (header === undefined) header = cells.map((cell) => cell.trim())
    else if (cells.length > 1 || cells[0] !== '')
      rows.push(Object.fromEntries(header.map((key, i) => [key, cells[i] ?? ''])))
  }
  return rows
}

function* csvLines(text) {
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy
  let cells = []
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (match === null) throw new Error('A line of the CSV file has a quote that does not close.')
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === ',') continue
    yield cells
    cells = []
  }
  if (cells.length > 0) yield cells
}
