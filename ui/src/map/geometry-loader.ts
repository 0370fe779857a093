import { signal } from '@preact/signals'
import { Geometry, type GeometryFile } from './geometry.ts'

export const geometry = signal<Geometry | undefined>(undefined)

let loading: Promise<Geometry> | undefined

/** Fetched once, however often the map is opened; a failure is tried again the next time. */
export function loadGeometry(): Promise<Geometry> {
  loading ??= (async () => {
    const response = await fetch(new URL('subway-geometry.json', document.baseURI))
    if (!response.ok) throw new Error(`subway-geometry.json: ${response.status}`)
    const loaded = new Geometry((await response.json()) as GeometryFile)
    geometry.value = loaded
    return loaded
  })()
  loading.catch(() => {
    loading = undefined
  })
  return loading
}
