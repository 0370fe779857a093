// The cluster's id, which the native client keeps to itself: one Metadata request (version 2, the first that
// is answered with it; kafka.apache.org/protocol) over a connection of its own, where that needs no login.
import { connect } from 'node:net'
import type { ClientConfig } from './client.ts'

const METADATA = 3
const VERSION = 2
const ANSWER_MAX = 1024 * 1024
const CLIENT_ID = Buffer.from('mta-connect')
const SIZE_BYTES = 4

/** Asks the first server that answers; undefined when none does, or when clients must log in or use TLS. */
export async function readClusterId(
  config: ClientConfig,
  timeoutMs: number,
): Promise<string | undefined> {
  const protocol = String(config['security.protocol'] ?? 'plaintext').toLowerCase()
  if (protocol !== 'plaintext') return undefined
  const servers = String(config['bootstrap.servers'] ?? '').split(',')
  for (const server of servers) {
    const colon = server.lastIndexOf(':')
    const host = server.slice(0, colon).trim().replaceAll(/[[\]]/g, '')
    const answer = await ask(host, Number(server.slice(colon + 1)), timeoutMs / servers.length)
    if (answer !== undefined) return clusterIdOf(answer)
  }
  return undefined
}

/** A request for the metadata of no topic at all. */
function request(): Buffer {
  const body = Buffer.alloc(10 + CLIENT_ID.length + 4)
  body.writeInt16BE(METADATA, 0)
  body.writeInt16BE(VERSION, 2)
  body.writeInt32BE(1, 4) // The correlation id, which comes back first.
  body.writeInt16BE(CLIENT_ID.length, 8)
  CLIENT_ID.copy(body, 10)
  const size = Buffer.alloc(SIZE_BYTES)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

function ask(host: string, port: number, timeoutMs: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let received: Buffer = Buffer.alloc(0)
    const end = (answer?: Buffer): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(end, timeoutMs)
    socket.on('error', () => end()) // The next server may answer; the id is only shown.
    socket.on('close', () => end())
    socket.on('connect', () => socket.write(request()))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length > ANSWER_MAX) end()
      else if (
        received.length >= SIZE_BYTES &&
        received.length >= SIZE_BYTES + received.readInt32BE()
      ) {
        end(received)
      }
    })
  })
}

/** Undefined for an answer that is not one. */
export function clusterIdOf(answer: Buffer): string | undefined {
  let at = 2 * SIZE_BYTES // Size and correlation id.
  const text = (): string | undefined => {
    const length = answer.readInt16BE(at)
    at += 2
    if (length < 0) return undefined
    at += length
    return answer.toString('utf8', at - length, at)
  }
  try {
    const brokers = answer.readInt32BE(at)
    at += 4
    for (let i = 0; i < brokers; i++) {
      at += 4 // Node id.
      text() // Host.
      at += 4 // Port.
      text() // Rack.
    }
    return text()
  } catch {
    return undefined // It ended early: some other protocol.
  }
}
