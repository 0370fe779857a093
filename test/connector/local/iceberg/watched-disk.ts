// Sees what is forced to the disk and what is linked, and lets either fail. `vi.restoreAllMocks` ends it.
import fs from 'node:fs/promises'
import { vi } from 'vitest'

export interface DiskStep {
  readonly kind: 'sync' | 'link'
  readonly file: string
}

/** Notes what is forced to the disk and what is linked, in order; `fails` says which of it fails. */
export function watchDisk(
  fails: (step: DiskStep, before: readonly DiskStep[]) => boolean,
): DiskStep[] {
  const steps: DiskStep[] = []
  const { open, link } = fs
  const note = (step: DiskStep): void => {
    if (fails(step, steps)) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    steps.push(step)
  }
  vi.spyOn(fs, 'open').mockImplementation(async (file, ...how) => {
    const handle = await open(file, ...how)
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      note({ kind: 'sync', file: String(file) })
      await sync()
    }
    return handle
  })
  vi.spyOn(fs, 'link').mockImplementation(async (from, to) => {
    note({ kind: 'link', file: String(to) })
    await link(from, to)
  })
  return steps
}
