import type { QualityCode } from './quality.ts'

/** Codes that say what the connector did or how the service runs; the data are not at fault. */
const NOTES: ReadonlySet<string> = new Set<QualityCode>([
  'ROUTE_FILLED',
  'LATE',
  'STALLED',
  'DUP_IN_MESSAGE',
])

/** Whether a record with these flags counts as clean. */
export const breaksNoRule = (flags: readonly string[]): boolean =>
  flags.every((flag) => NOTES.has(flag))

/** The share of clean records, 0 to 1, over all polls so far; undefined before the first record. */
export class QualityScore {
  #checked = 0
  #clean = 0

  add(checked: number, clean: number): void {
    this.#checked += checked
    this.#clean += clean
  }

  get value(): number | undefined {
    return this.#checked === 0 ? undefined : this.#clean / this.#checked
  }
}
