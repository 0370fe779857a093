import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { defineConfig, type Plugin } from 'vite'

const ROOT = path.resolve(import.meta.dirname, '..')

interface Pattern {
  readonly stops: readonly string[]
  readonly len: number
}

interface SourceGeometry {
  readonly routes: unknown
  readonly shapes: unknown
  readonly stops: readonly (readonly [id: string, name: string, ...unknown[]])[]
  readonly patterns: Readonly<Record<string, Pattern>>
}

/** What the page needs of the source connector's geometry: tracks, lines, names of stations, ends of tracks. */
function geometryText(): string {
  const file = path.join(ROOT, 'source-mta/static/subway.json')
  const source = JSON.parse(readFileSync(file, 'utf8')) as SourceGeometry
  return JSON.stringify({
    routes: source.routes,
    shapes: source.shapes,
    stops: source.stops.map(([id, name]) => [id, name]),
    ends: Object.entries(source.patterns).map(([id, { stops, len }]) => [id, stops.at(-1), len]),
  })
}

function subwayGeometry(): Plugin {
  return {
    name: 'subway-geometry',
    writeBundle: ({ dir }) => {
      writeFileSync(path.join(dir ?? '', 'subway-geometry.json'), geometryText())
    },
    configureServer: (server) => {
      server.middlewares.use('/ui/subway-geometry.json', (_request, response) => {
        response.setHeader('content-type', 'application/json')
        response.end(geometryText())
      })
    },
  }
}

const WORKER = process.env['MTA_CONNECT_WORKER'] ?? 'http://127.0.0.1:8083'

export default defineConfig({
  root: import.meta.dirname,
  base: '/ui/',
  plugins: [subwayGeometry()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: path.join(ROOT, 'dist/ui/app'),
    emptyOutDir: true,
    // MapLibre alone is beyond Vite's warning limit; it is loaded with the map only.
    chunkSizeWarningLimit: 1_200,
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: {
      '/connectors': WORKER,
      '/connector-plugins': WORKER,
      '/metrics': WORKER,
      '/ui/live': { target: WORKER, ws: true },
    },
  },
})
