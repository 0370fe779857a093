/** Most that is read of an archive. */
export interface ZipLimits {
  readonly directoryBytes: number
  readonly entries: number
  readonly entryBytes: number
}
export interface ZipArchive {
  readonly names: readonly string[]
  read(name: string): Buffer
  close(): void
}
export const LIMITS: ZipLimits
export function openZip(file: string, limits?: ZipLimits): ZipArchive
