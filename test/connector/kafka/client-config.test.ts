import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../connector/api/errors.ts'
import { type ClientKind, toLibrdkafka } from '../../../connector/kafka/client-config.ts'

const SERVERS = { 'bootstrap.servers': 'a:9092, b:9092' }
const BASE = { 'bootstrap.servers': 'a:9092,b:9092', 'security.protocol': 'plaintext' }
const translate = (kind: ClientKind, java: Record<string, string>): Record<string, unknown> => ({
  ...toLibrdkafka(kind, { ...SERVERS, ...java }).config,
})
function problemsOf(kind: ClientKind, java: Record<string, string>): string {
  try {
    toLibrdkafka(kind, java)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

const jaas = (module: string, options: string): string =>
  `org.apache.kafka.common.security.${module} required ${options};`

describe('toLibrdkafka', () => {
  test("translates what Kafka Connect sets for a source's producer", () => {
    expect(
      translate('producer', {
        acks: 'all',
        'max.in.flight.requests.per.connection': '1',
        'enable.idempotence': 'false',
        'delivery.timeout.ms': '2147483647',
        'max.block.ms': '9223372036854775807',
        'buffer.memory': '33554432',
        'max.request.size': '1048576',
        'compression.type': 'zstd',
        'linger.ms': '20',
        'batch.size': '0',
        'client.id': 'connector-producer-mta-0',
        'key.serializer': 'org.apache.kafka.common.serialization.ByteArraySerializer',
      }),
    ).toEqual({
      ...BASE,
      acks: 'all',
      'max.in.flight.requests.per.connection': '1',
      'enable.idempotence': 'false',
      'delivery.timeout.ms': '2147483647',
      'queue.buffering.max.kbytes': '32768',
      'message.max.bytes': '1048576',
      'compression.type': 'zstd',
      'linger.ms': '20',
      'batch.size': '1',
      'client.id': 'connector-producer-mta-0',
    })
  })

  test("translates what it sets for a sink's consumer", () => {
    expect(
      translate('consumer', {
        'group.id': 'connect-sink',
        'auto.offset.reset': 'none',
        'enable.auto.commit': 'false',
        'isolation.level': 'read_committed',
        'fetch.max.wait.ms': '50',
        'max.partition.fetch.bytes': '1048576',
        'session.timeout.ms': '45000',
        'max.poll.interval.ms': '30000',
        'max.poll.records': '500',
        'metadata.max.age.ms': '300000',
        'request.timeout.ms': '40000',
        'partition.assignment.strategy':
          'org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
      }),
    ).toEqual({
      ...BASE,
      'group.id': 'connect-sink',
      'group.protocol': 'classic',
      'auto.offset.reset': 'error',
      'enable.auto.commit': 'false',
      'isolation.level': 'read_committed',
      'fetch.wait.max.ms': '50',
      'max.partition.fetch.bytes': '1048576',
      'session.timeout.ms': '45000',
      'max.poll.interval.ms': '45000',
      'topic.metadata.refresh.interval.ms': '300000',
      'socket.timeout.ms': '40000',
      'partition.assignment.strategy': 'range',
    })
  })

  test('passes on whether a consumer reads packed, and refuses what is neither', () => {
    const java = { 'bootstrap.servers': 'a:1', 'packed.reader': 'false' }
    expect(toLibrdkafka('consumer', java).config['packed.reader']).toBe('false')
    expect(() => toLibrdkafka('consumer', { ...java, 'packed.reader': 'no' })).toThrow(
      'packed.reader: must be one of true, false',
    )
    expect(toLibrdkafka('producer', java).ignored).toContain('packed.reader')
  })

  test("drops the classic protocol's properties with KIP-848, which refuses them", () => {
    const { config, ignored } = toLibrdkafka('consumer', {
      ...SERVERS,
      'group.protocol': 'CONSUMER',
      'session.timeout.ms': '6000',
      'heartbeat.interval.ms': '500',
    })
    expect(config).toEqual({ ...BASE, 'group.protocol': 'consumer' })
    expect(ignored).toEqual(['session.timeout.ms', 'heartbeat.interval.ms'])
  })

  test("lets librdkafka's own pass, and names what has no meaning for this client", () => {
    const { config, ignored } = toLibrdkafka('admin', {
      ...SERVERS,
      debug: 'broker',
      'linger.ms': '5',
      'fetch.queue.backoff.ms': '10',
      'interceptor.classes': 'x.Y',
    })
    expect(config).toEqual({ ...BASE, debug: 'broker' })
    expect(ignored).toEqual(['linger.ms', 'fetch.queue.backoff.ms', 'interceptor.classes'])
  })

  test('names every problem in one error', () => {
    expect(
      problemsOf('producer', {
        'bootstrap.servers': 'nowhere',
        'security.protocol': 'TLS',
        acks: '2',
        'linger.ms': 'soon',
        'plugin.library.paths': '/evil.so',
      }),
    ).toBe(
      'bootstrap.servers: nowhere is not host:port; ' +
        'security.protocol: must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL; ' +
        'acks: must be one of all, -1, 0, 1; linger.ms: must be a whole number; ' +
        'plugin.library.paths: is not allowed',
    )
    expect(problemsOf('admin', {})).toBe('bootstrap.servers: required')
  })
})

describe('SASL', () => {
  test.each([
    ['PLAIN', 'plain.PlainLoginModule'],
    ['SCRAM-SHA-512', 'scram.ScramLoginModule'],
  ])('%s takes user and password from JAAS', (mechanism, module) => {
    expect(
      translate('consumer', {
        'security.protocol': 'SASL_SSL',
        'sasl.mechanism': mechanism,
        'sasl.jaas.config': jaas(module, 'username="al;ice" password="s\\"e=cret"'),
      }),
    ).toMatchObject({
      'security.protocol': 'sasl_ssl',
      'sasl.mechanism': mechanism,
      'sasl.username': 'al;ice',
      'sasl.password': 's"e=cret',
    })
  })

  test('OAUTHBEARER becomes OIDC with the client of the login module', () => {
    expect(
      translate('producer', {
        'security.protocol': 'SASL_SSL',
        'sasl.mechanism': 'OAUTHBEARER',
        'sasl.oauthbearer.token.endpoint.url': 'https://id.example/token',
        'sasl.jaas.config': jaas(
          'oauthbearer.OAuthBearerLoginModule',
          'clientId="c" clientSecret="s" scope="kafka" extension_logicalCluster="lkc-1"',
        ),
      }),
    ).toEqual({
      'bootstrap.servers': 'a:9092,b:9092',
      'security.protocol': 'sasl_ssl',
      'sasl.mechanism': 'OAUTHBEARER',
      'sasl.oauthbearer.method': 'oidc',
      'sasl.oauthbearer.token.endpoint.url': 'https://id.example/token',
      'sasl.oauthbearer.client.id': 'c',
      'sasl.oauthbearer.client.secret': 's',
      'sasl.oauthbearer.scope': 'kafka',
      'sasl.oauthbearer.extensions': 'logicalCluster=lkc-1',
    })
  })

  test('tells what is wrong without showing a secret', () => {
    const secret = 'hunter2'
    const wrong: readonly Record<string, string>[] = [
      { 'sasl.jaas.config': `PlainLoginModule required password="${secret}"` },
      {
        'sasl.mechanism': 'PLAIN',
        'sasl.jaas.config': jaas('plain.PlainLoginModule', `password="${secret}"`),
      },
      {
        'sasl.mechanism': 'PLAIN',
        'sasl.jaas.config': jaas('x.OtherModule', `password="${secret}"`),
      },
      { 'sasl.jaas.config': jaas('scram.ScramLoginModule', `username=u password="${secret}"`) },
      {},
    ]
    const messages = wrong.map((java) =>
      problemsOf('admin', { ...SERVERS, 'security.protocol': 'SASL_PLAINTEXT', ...java }),
    )
    expect(messages).toEqual([
      'sasl.jaas.config: not of the form: LoginModule required name="value" …;',
      'sasl.jaas.config: PlainLoginModule lacks username',
      'sasl.jaas.config: OtherModule is not one of PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule, Krb5LoginModule',
      'sasl.mechanism: must be SCRAM-SHA-256 or SCRAM-SHA-512 with ScramLoginModule',
      'sasl.mechanism: required with this security.protocol',
    ])
  })

  test('lets no shell command into what librdkafka gives to kinit', () => {
    expect(problemsOf('admin', { ...SERVERS, 'sasl.kerberos.principal': 'x; rm -rf /' })).toBe(
      'sasl.kerberos.principal: may hold letters, digits and _ . / @ : - only',
    )
  })
})

describe('key and trust stores', () => {
  test('PEM files and inline PEM become their librdkafka counterparts', () => {
    expect(
      translate('producer', {
        'security.protocol': 'SSL',
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': '/tls/ca.pem',
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.key': 'KEY',
        'ssl.keystore.certificate.chain': 'CHAIN',
        'ssl.key.password': 'p',
        'ssl.endpoint.identification.algorithm': '',
      }),
    ).toEqual({
      'bootstrap.servers': 'a:9092,b:9092',
      'security.protocol': 'ssl',
      'ssl.ca.location': '/tls/ca.pem',
      'ssl.key.pem': 'KEY',
      'ssl.certificate.pem': 'CHAIN',
      'ssl.key.password': 'p',
      'ssl.endpoint.identification.algorithm': 'none',
    })
  })

  test('a PKCS#12 key store is read as it is', () => {
    expect(
      translate('producer', {
        'ssl.keystore.location': '/tls/k.p12',
        'ssl.keystore.password': 'p',
      }),
    ).toEqual({ ...BASE, 'ssl.keystore.location': '/tls/k.p12', 'ssl.keystore.password': 'p' })
  })

  test('other stores are refused with the command that converts them', () => {
    expect(
      problemsOf('producer', {
        ...SERVERS,
        'ssl.truststore.location': '/tls/t.p12',
        'ssl.keystore.location': '/tls/k.jks',
        'ssl.keystore.password': 'hunter2',
      }),
    ).toBe(
      `ssl.truststore.location: a PKCS12 trust store can't be read; convert it with "openssl pkcs12 -in /tls/t.p12 -nokeys -out truststore.pem" and set ssl.truststore.type=PEM; ` +
        `ssl.keystore.location: a JKS key store can't be read; convert it with "keytool -importkeystore -srckeystore /tls/k.jks -destkeystore keystore.p12 -deststoretype PKCS12" and set ssl.keystore.type=PKCS12`,
    )
    expect(problemsOf('producer', { ...SERVERS, 'ssl.truststore.location': '/tls/t.jks' })).toMatch(
      /a JKS trust store .*"keytool -list -rfc -keystore \/tls\/t\.jks/,
    )
  })
})
