// Hosts in front of the local endpoint: the account's, and two of which one at a time takes rows, as when a pipe fails over.
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SinkGateway {
  /** The account's address. */
  readonly url: string
  /** Another host takes rows from now on. The one before answers 410, or refuses every connection. */
  failOver(how: 'gone' | 'vanished'): void
  close(): Promise<void>
}

interface Host {
  readonly server: http.Server
  readonly address: string
  state: 'serving' | 'gone' | 'vanished'
}

/** Passes everything on to `endpointUrl`, except who takes rows. */
export async function startSinkGateway(endpointUrl: string): Promise<SinkGateway> {
  const agent = new http.Agent({ keepAlive: true })
  const target = new URL(endpointUrl)
  const hosts: Host[] = []
  let active = 0
  const account = await listen((request, response) => {
    const named = hosts[active]
    if (request.url?.startsWith('/v2/streaming/hostname') === true && named !== undefined) {
      response.end(named.address)
    } else pass(request, response, { target, agent })
  })
  for (let i = 0; i < 2; i++) {
    const host: Host = {
      ...(await listen((request, response) => {
        if (host.state === 'vanished') request.destroy()
        else if (host.state === 'gone') response.writeHead(410).end('The pipe has failed over')
        else pass(request, response, { target, agent })
      })),
      state: 'serving',
    }
    hosts.push(host)
  }
  return {
    url: `http://${account.address}`,
    failOver: (how) => {
      const [before, after] = [hosts[active], hosts[1 - active]]
      if (before === undefined || after === undefined) return
      before.state = how
      after.state = 'serving'
      active = 1 - active
    },
    close: async () => {
      agent.destroy()
      for (const { server } of [account, ...hosts]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

async function listen(handle: http.RequestListener): Promise<Pick<Host, 'server' | 'address'>> {
  const server = http.createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function pass(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  to: { readonly target: URL; readonly agent: http.Agent },
): void {
  const { hostname, port } = to.target
  const call = http.request({
    hostname,
    port,
    path: request.url,
    method: request.method,
    headers: request.headers,
    agent: to.agent,
  })
  // What happens to one side's connection happens to the other's.
  call.on('error', () => response.destroy())
  call.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.on('error', () => response.destroy())
    answer.on('close', () => {
      if (!answer.complete) response.destroy()
    })
    answer.pipe(response)
  })
  response.on('close', () => {
    if (!response.writableFinished) call.destroy()
  })
  request.pipe(call)
}
