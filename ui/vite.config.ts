import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { defineConfig, type Plugin } from 'vite'

const ROOT = path.resolve(import.meta.dirname, '..')

function makeGeometry(folder: string): void {
  const geometry = JSON.parse(
    readFileSync(path.join(ROOT, 'source-mta/static/subway.json'), 'utf8'),
  ) as { shapes: unknown; routes: unknown; stops: unknown }
  const { shapes, routes, stops } = geometry
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    path.join(folder, 'subway-geometry.json'),
    JSON.stringify({ shapes, routes, stops }),
  )
}

/** The page draws trains along their tracks: the shapes of the source's geometry, without the rest of it. */
function subwayShapes(): Plugin {
  return {
    name: 'subway-shapes',
    writeBundle: ({ dir }) => makeGeometry(dir ?? ''),
    configureServer: (server) => {
      makeGeometry(path.join(ROOT, 'ui/node_modules/.generated'))
      server.middlewares.use('/ui/subway-geometry.json', (_request, response) => {
        response.setHeader('content-type', 'application/json')
        response.end(
          readFileSync(path.join(ROOT, 'ui/node_modules/.generated/subway-geometry.json')),
        )
      })
    },
  }
}

const WORKER = process.env['MTA_CONNECT_WORKER'] ?? 'http://127.0.0.1:8083'

export default defineConfig({
  root: import.meta.dirname,
  base: '/ui/',
  plugins: [subwayShapes()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: path.join(ROOT, 'dist/ui/app'),
    emptyOutDir: true,
    // MapLibre alone is beyond Vite's warning limit; it is loaded with the map only.
    chunkSizeWarningLimit: 1_200,
  },
  server: {
    port: 5173,
    proxy: {
      '/connectors': WORKER,
      '/connector-plugins': WORKER,
      '/metrics': WORKER,
      '/ui/live': { target: WORKER, ws: true },
    },
  },
})
