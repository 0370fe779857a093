import { BadRequestError } from './herder.ts'

/** Whether a version satisfies what a configuration asks for (KIP-891): nothing, `latest`, a version, or Maven's ranges as `[1.0,2.0)`. */
export function isVersionWanted(version: string, wanted: string | undefined): boolean {
  const text = wanted?.trim() ?? ''
  if (['', 'latest', version].includes(text)) return true
  const bounds = /^([[(])([^,]*),([^,]*)([\])])$/.exec(text)
  if (bounds === null) return text === `[${version}]`
  const [, open, low = '', high = '', close] = bounds
  const isAbove = low.trim() === '' || compare(version, low.trim()) >= (open === '[' ? 0 : 1)
  const isBelow = high.trim() === '' || compare(version, high.trim()) <= (close === ']' ? 0 : -1)
  return isAbove && isBelow
}

/** Kafka Connect's text for a plugin of which another version is there. */
export function versionNotFound(className: string, version: string, wanted: string): string {
  const range = /^[[(]/.test(wanted) ? wanted : `[${wanted},${wanted}]`
  return `Plugin ${className} not found that matches the version range ${range}, available versions: [${version}]`
}

const compare = (a: string, b: string): number =>
  Math.sign(a.localeCompare(b, 'en', { numeric: true }))

/** @throws BadRequestError when another version of a plugin is asked for than is there. */
export function requireVersion(
  plugin: { readonly className: string; readonly version: string },
  wanted: string | undefined,
): void {
  if (isVersionWanted(plugin.version, wanted)) return
  const text = wanted?.trim() ?? ''
  if (/^[[(]/.test(text) && !/[\])]$/.test(text)) {
    throw new BadRequestError(`Invalid version specification: ${text}`)
  }
  throw new BadRequestError(versionNotFound(plugin.className, plugin.version, text))
}
