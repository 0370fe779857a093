// The page as the build makes it, in a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { build } from 'vite'
import { ROOT } from './needs.ts'

export interface BuiltPage {
  readonly dir: string
  remove(): void
}

/** Builds `ui/` anew, so that a test never sees yesterday's page. */
export async function buildPage(): Promise<BuiltPage> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'ui-app-'))
  await build({
    configFile: path.join(ROOT, 'ui/vite.config.ts'),
    logLevel: 'error',
    build: { outDir: dir, emptyOutDir: true },
  })
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}
