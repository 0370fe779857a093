import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { makeCertificates } from '../../../../../connector/local/snowflake/tls/certificates.ts'
import { keepCertificates } from '../../../../../connector/local/snowflake/tls/certificate-folder.ts'
import { FakeClock } from '../../../../support/fake-clock.ts'

const DAY_MS = 86_400_000
const at = (days: number): FakeClock => new FakeClock({ nowMs: days * DAY_MS })

test('a client that trusts the authority, and only such a one, accepts the server', async () => {
  const made = makeCertificates(['localhost', '127.0.0.1'], Date.now())
  const stranger = makeCertificates(['localhost'], Date.now())
  const server = createServer({ cert: made.cert, key: made.key })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const handshake = (ca: string, servername: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, ca, servername })
      socket.on('secureConnect', () => {
        resolve('accepted')
        socket.destroy()
      })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
  expect(await handshake(made.ca, 'localhost')).toBe('accepted')
  expect(await handshake(stranger.ca, 'localhost')).not.toBe('accepted')
  expect(await handshake(made.ca, 'elsewhere.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  server.close()
})

test('certificates stay until 30 days before their end or until they are damaged', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'certificates-'))
  const first = await keepCertificates(path.join(folder, 'tls'), at(20_000))
  expect((await stat(path.join(folder, 'tls/server.pem'))).mode & 0o077).toBe(0)
  expect(await keepCertificates(path.join(folder, 'tls'), at(20_700))).toEqual(first)
  const renewed = await keepCertificates(path.join(folder, 'tls'), at(20_780))
  expect(renewed.ca).not.toBe(first.ca)
  expect(await readFile(renewed.caFile, 'utf8')).toBe(renewed.ca)
  const server = new X509Certificate(renewed.cert)
  expect(server.checkPrivateKey(createPrivateKey(renewed.key))).toBe(true)
  expect([server.subjectAltName, server.ca]).toEqual([
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    false,
  ])
  for (const damaged of ['', renewed.cert, 'x'.repeat(100)]) {
    await writeFile(path.join(folder, 'tls/server.pem'), damaged)
    expect((await keepCertificates(path.join(folder, 'tls'), at(20_780))).ca).not.toBe(renewed.ca)
  }
  await rm(folder, { recursive: true })
})

test('dates from 2050 on have their four digits', () => {
  const { cert } = makeCertificates(['localhost'], Date.UTC(2049, 11, 31))
  expect(new X509Certificate(cert).validTo).toContain('2052')
})
