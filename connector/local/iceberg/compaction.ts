// Which files to merge. By size classes, as log-structured stores do: a byte is rewritten once per class and
// not once per merge, so a stream of small commits costs the same however large the table is.
import type { MeasuredFile } from './manifests.ts'

const CLASS_BYTES_MIN = 128 * 1024
const CLASS_FACTOR = 8

/**
 * Files of one size class that are to become one file: at least `compactFiles` of them were there. Empty
 * when nothing is to be done. Files stay in their order.
 */
export function chooseFiles(
  files: readonly MeasuredFile[],
  policy: { readonly compactFiles: number; readonly smallFileBytes: number },
): readonly MeasuredFile[] {
  const classes = new Map<number, MeasuredFile[]>()
  for (const file of files) {
    if (file.bytes >= policy.smallFileBytes) continue
    const level = sizeClass(file.bytes)
    const members = classes.get(level)
    if (members === undefined) classes.set(level, [file])
    else members.push(file)
  }
  const enough = Math.max(2, policy.compactFiles)
  const full = [...classes].filter(([, members]) => members.length >= enough)
  const [, members = []] = full.toSorted(([a], [b]) => a - b)[0] ?? []
  return upTo(members, 2 * policy.smallFileBytes)
}

const sizeClass = (bytes: number): number =>
  bytes < CLASS_BYTES_MIN
    ? 0
    : 1 + Math.floor(Math.log(bytes / CLASS_BYTES_MIN) / Math.log(CLASS_FACTOR))

/** The first files that together stay below the limit, so that one merge cannot run for ever; at least two. */
function upTo(files: readonly MeasuredFile[], bytesMax: number): readonly MeasuredFile[] {
  let bytes = 0
  return files.filter((file, i) => {
    bytes += file.bytes
    return i < 2 || bytes <= bytesMax
  })
}
