// The mock cluster listens on a random port. What clients are told is this one, which stays the same when
// the broker is started again.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

const CONNECTIONS_MAX = 1_000

export interface Forwarder {
  readonly port: number
  close(): Promise<void>
}

/**
 * Passes TCP connections of 127.0.0.1:`port` (0: any free one) on to `target`. Each direction holds at most
 * one stream buffer; a reset of either side ends both and nothing else.
 *
 * @throws Error naming the port when it is taken.
 */
export function startForwarder(
  port: number,
  target: { readonly host: string; readonly port: number },
): Promise<Forwarder> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.setNoDelay(true).once('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    const broker = keep(connect({ host: target.host, port: target.port }))
    keep(client)
    // An end or a failure of one side closes the other one; the client retries, so there is nothing to report.
    const closeBoth = (): void => {
      client.destroy()
      broker.destroy()
    }
    pipeline(client, broker, closeBoth)
    pipeline(broker, client, closeBoth)
  })
  server.maxConnections = CONNECTIONS_MAX
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE' ? ': another process uses it' : ''
      reject(new Error(`The embedded broker can't listen on 127.0.0.1:${port}${taken}.`, { cause }))
    })
    server.listen(port, '127.0.0.1', () =>
      resolve({ port: portOf(server), close: () => close(server, sockets) }),
    )
  })
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return address.port
}

function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}
