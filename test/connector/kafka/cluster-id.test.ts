import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { clusterIdOf, readClusterId } from '../../../connector/kafka/cluster-id.ts'

test('any bytes are an answer or none, never an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const id = clusterIdOf(Buffer.from(bytes))
      expect(['undefined', 'string']).toContain(typeof id)
    }),
  )
})

test('is not asked where clients must log in, and not known when nobody answers', async () => {
  const servers = { 'bootstrap.servers': '127.0.0.1:1' }
  expect(
    await readClusterId({ ...servers, 'security.protocol': 'sasl_ssl' }, 1_000),
  ).toBeUndefined()
  expect(await readClusterId(servers, 1_000)).toBeUndefined()
})
