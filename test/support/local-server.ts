// HTTP servers of a test, on free ports of this machine.
import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** Servers that end together. */
export class LocalServers {
  readonly #servers: http.Server[] = []

  /** Starts one; answers its address, without a slash at the end. */
  async serve(handler: http.RequestListener): Promise<string> {
    const server = http.createServer(handler)
    this.#servers.push(server)
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  close(): void {
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
  }
}
