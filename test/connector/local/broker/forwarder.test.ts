import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Forwarder, startForwarder } from '../../../../connector/local/broker/forwarder.ts'

describe('startForwarder', () => {
  let target: Server
  let accepted: Socket[]
  let forwarder: Forwarder

  beforeEach(async () => {
    accepted = []
    target = createServer((socket) => {
      accepted.push(socket)
      socket.on('error', () => {}) // Resets are what these tests make.
    })
    target.listen(0, '127.0.0.1')
    await once(target, 'listening')
    forwarder = await startForwarder(0, {
      host: '127.0.0.1',
      port: (target.address() as AddressInfo).port,
    })
  })
  afterEach(async () => {
    await forwarder.close()
    for (const socket of accepted) socket.destroy()
    target.close()
  })

  async function open(): Promise<Socket> {
    const client = connect({ host: '127.0.0.1', port: forwarder.port })
    const arrived = once(target, 'connection')
    await Promise.all([once(client, 'connect'), arrived])
    return client
  }

  test('passes bytes both ways', async () => {
    const client = await open()
    client.write('ping')
    const [asked] = (await once(accepted[0] ?? target, 'data')) as [Buffer]
    accepted[0]?.write('pong')
    const [answered] = (await once(client, 'data')) as [Buffer]
    expect([String(asked), String(answered)]).toEqual(['ping', 'pong'])
    client.destroy()
  })

  test('a reset of either side ends the other side, and nothing else', async () => {
    const first = await open()
    const second = await open()
    const third = await open()
    const [one, two, three] = accepted
    const gone = [once(one ?? first, 'close'), once(second, 'close')]
    first.resetAndDestroy()
    two?.resetAndDestroy()
    await Promise.all(gone)
    third.write('still here')
    const [text] = (await once(three ?? third, 'data')) as [Buffer]
    expect(String(text)).toBe('still here')
    third.destroy()
  })

  test('holds back a sender whose receiver does not read', async () => {
    const client = await open()
    accepted[0]?.pause()
    const chunk = Buffer.alloc(1024 * 1024)
    let sent = 0
    // Bounded by the kernel's socket buffers and one stream buffer each: far below what is offered.
    while (sent < 256 && client.write(chunk)) sent++
    for (let turn = 0; turn < 50 && sent < 256; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      while (client.writableLength === 0 && sent < 256) {
        client.write(chunk)
        sent++
      }
    }
    expect(sent).toBeLessThan(64)
    client.destroy()
  })

  test('says which port is taken', async () => {
    await expect(startForwarder(forwarder.port, { host: '127.0.0.1', port: 1 })).rejects.toThrow(
      `The embedded broker can't listen on 127.0.0.1:${forwarder.port}: another process uses it.`,
    )
  })
})
