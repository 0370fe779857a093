import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { createGzip } from 'node:zlib'
import { pipeline } from 'node:stream/promises'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
}
const COMPRESSED = /\.(html|m?js|css|json|svg|txt)$/
/**
 * The page may load from its own origin only. Its WebSocket is named by host, since not every browser takes 'self' for
 * that; small pictures of MapLibre's buttons lie in its style sheet as data.
 */
const policy = (host: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ws://${host} wss://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
/** A Host header that could not change the policy's meaning. */
const HOST = /^[\w.-]+(:\d+)?$|^\[[\da-fA-F:.]+\](:\d+)?$/

/** Serves the files below `folder` for paths below `prefix`. Anything else is a 404; nothing outside is reachable. */
export function staticFiles(folder: string, prefix: string) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    const url = (request.url ?? '').split('?', 1)[0] ?? ''
    if (url === prefix) {
      response.writeHead(308, { location: `${prefix}/` }).end()
      return
    }
    const file = fileFor(folder, url.slice(prefix.length))
    const found = file === undefined ? undefined : await stat(file).catch(() => undefined) // Not there: a 404 below.
    if (file === undefined || found === undefined || !found.isFile()) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found.\n')
      return
    }
    const isGzip =
      COMPRESSED.test(file) && /\bgzip\b/.test(String(request.headers['accept-encoding']))
    response.writeHead(200, {
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      // Vite's names carry a hash of the content; everything else is asked for again.
      'cache-control': file.includes(`${path.sep}assets${path.sep}`)
        ? 'public, max-age=31536000, immutable'
        : 'no-cache',
      'content-security-policy': policy(hostOf(request)),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      vary: 'Accept-Encoding',
      ...(isGzip ? { 'content-encoding': 'gzip' } : { 'content-length': found.size }),
    })
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    const source = createReadStream(file)
    await (isGzip
      ? pipeline(source, createGzip({ level: 6 }), response)
      : pipeline(source, response)
    ).catch(() => response.destroy()) // The browser went away in the middle; there is nobody to tell.
  }
}

function hostOf({ headers: { host } }: IncomingMessage): string {
  return host !== undefined && HOST.test(host) ? host : 'localhost'
}

function fileFor(folder: string, encoded: string): string | undefined {
  let name: string
  try {
    name = decodeURIComponent(encoded)
  } catch {
    return undefined // Not valid percent-encoding: no such file.
  }
  if (name.includes('\0')) return undefined
  const file = path.normalize(path.join(folder, name.endsWith('/') ? `${name}index.html` : name))
  return file.startsWith(folder + path.sep) ? file : undefined
}
