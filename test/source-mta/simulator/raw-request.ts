import http from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  /** The connection ended before the announced length. */
  readonly isCut: boolean
}

/** A request by node:http, which sends the path as it is and leaves the body packed as it comes. */
export function rawRequest(
  url: string,
  options: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string
    readonly timeoutMs?: number
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body, timeoutMs = 5_000 } = options
    const [, host = '', path = ''] = /^http:\/\/([^/]+)(.*)$/.exec(url) ?? []
    const request = http.request(
      {
        host: host.split(':')[0],
        port: host.split(':')[1],
        path,
        method,
        headers,
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        const finish = (): void =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            isCut: !response.complete,
          })
        response.on('end', finish)
        response.on('error', () => (chunks.length > 0 ? finish() : reject(new Error('cut off'))))
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
