// Java's security properties: SASL by JAAS, and key and trust stores.
import { type LoginModule, parseJaas } from './jaas.ts'
import type { Translation } from './translation.ts'

const PROTOCOLS = new Set(['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'])

/** Translates `security.protocol`, `sasl.*` and `ssl.*`. */
export function translateSecurity(t: Translation): void {
  const protocol = (t.take('security.protocol') ?? 'PLAINTEXT').toLowerCase()
  if (!PROTOCOLS.has(protocol)) {
    t.problem('security.protocol', 'must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL')
  }
  t.set('security.protocol', protocol)
  translateSasl(t, protocol.startsWith('sasl_'))
  translateTrustStore(t)
  translateKeyStore(t)
  const algorithm = t.takeRaw('ssl.endpoint.identification.algorithm')
  if (algorithm !== undefined) {
    t.set(
      'ssl.endpoint.identification.algorithm',
      algorithm === '' ? 'none' : algorithm.toLowerCase(),
    )
  }
}

function translateSasl(t: Translation, isSasl: boolean): void {
  const mechanism = t.take('sasl.mechanism')?.toUpperCase()
  const jaas = t.take('sasl.jaas.config')
  if (mechanism !== undefined) t.set('sasl.mechanism', mechanism)
  if (jaas === undefined) {
    if (isSasl && mechanism === undefined && t.java['sasl.mechanisms'] === undefined) {
      t.problem('sasl.mechanism', 'required with this security.protocol')
    }
    return
  }
  const login = parseJaas(jaas)
  if (login === undefined) {
    t.problem('sasl.jaas.config', 'not of the form: LoginModule required name="value" …;')
    return
  }
  const translate = LOGIN_MODULES[login.module]
  if (translate === undefined) {
    const known = Object.keys(LOGIN_MODULES).join(', ')
    t.problem('sasl.jaas.config', `${login.module} is not one of ${known}`)
    return
  }
  translate.apply(t, login)
  if (mechanism === undefined ? isSasl : !translate.mechanisms.includes(mechanism)) {
    const expected = translate.mechanisms.join(' or ')
    t.problem('sasl.mechanism', `must be ${expected} with ${login.module}`)
  }
}

interface LoginTranslation {
  readonly mechanisms: readonly string[]
  apply(t: Translation, login: LoginModule): void
}

const userAndPassword = (t: Translation, { module, options }: LoginModule): void => {
  for (const name of ['username', 'password']) {
    const value = options.get(name)
    if (value === undefined) t.problem('sasl.jaas.config', `${module} lacks ${name}`)
    else t.set(`sasl.${name}`, value)
  }
}

const LOGIN_MODULES: Readonly<Record<string, LoginTranslation>> = {
  PlainLoginModule: { mechanisms: ['PLAIN'], apply: userAndPassword },
  ScramLoginModule: { mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512'], apply: userAndPassword },
  OAuthBearerLoginModule: { mechanisms: ['OAUTHBEARER'], apply: oauth },
  Krb5LoginModule: { mechanisms: ['GSSAPI'], apply: kerberos },
}

const EXTENSION = 'extension_'
const UNSECURED = 'unsecuredLoginStringClaim_sub'

function oauth(t: Translation, { options }: LoginModule): void {
  const subject = options.get(UNSECURED)
  if (subject !== undefined) {
    // Unsigned tokens, for tests; librdkafka's form of the same.
    t.set('enable.sasl.oauthbearer.unsecure.jwt', 'true')
    t.set('sasl.oauthbearer.config', `principal=${subject}`)
    return
  }
  // Older Java clients take them from here; newer ones from sasl.oauthbearer.client.credentials.*.
  const id = options.get('clientId') ?? t.take('sasl.oauthbearer.client.credentials.client.id')
  const secret =
    options.get('clientSecret') ?? t.take('sasl.oauthbearer.client.credentials.client.secret')
  const url = t.take('sasl.oauthbearer.token.endpoint.url')
  if (url === undefined)
    t.problem('sasl.oauthbearer.token.endpoint.url', 'required with OAUTHBEARER')
  else t.set('sasl.oauthbearer.token.endpoint.url', url)
  t.set('sasl.oauthbearer.method', 'oidc')
  if (id !== undefined) t.set('sasl.oauthbearer.client.id', id)
  if (secret !== undefined) t.set('sasl.oauthbearer.client.secret', secret)
  const scope = options.get('scope')
  if (scope !== undefined) t.set('sasl.oauthbearer.scope', scope)
  const extensions = [...options]
    .filter(([name]) => name.startsWith(EXTENSION))
    .map(([name, value]) => `${name.slice(EXTENSION.length)}=${value}`)
  if (extensions.length > 0) t.set('sasl.oauthbearer.extensions', extensions.join(','))
}

function kerberos(t: Translation, { options }: LoginModule): void {
  const keytab = options.get('keyTab')
  const principal = options.get('principal')
  if (keytab !== undefined) t.set('sasl.kerberos.keytab', keytab)
  if (principal !== undefined) t.set('sasl.kerberos.principal', principal)
}

/** librdkafka puts both into a shell command (kinit), so only harmless characters may pass. */
export function checkKerberos(t: Translation): void {
  const SAFE = /^[\w./@:-]+$/
  for (const key of [
    'sasl.kerberos.keytab',
    'sasl.kerberos.principal',
    'sasl.kerberos.service.name',
  ]) {
    const value = t.config[key]
    if (value !== undefined && !SAFE.test(value)) {
      t.problem(key, 'may hold letters, digits and _ . / @ : - only')
    }
  }
}

function translateTrustStore(t: Translation): void {
  const location = t.take('ssl.truststore.location')
  const certificates = t.take('ssl.truststore.certificates')
  const type = storeType(t, 'ssl.truststore.type', location, certificates)
  t.take('ssl.truststore.password')
  if (certificates !== undefined) t.set('ssl.ca.pem', certificates)
  if (location === undefined) return
  if (type === 'PEM') {
    t.set('ssl.ca.location', location)
    return
  }
  const command =
    type === 'PKCS12'
      ? `openssl pkcs12 -in ${location} -nokeys -out truststore.pem`
      : `keytool -list -rfc -keystore ${location} | sed -n '/BEGIN/,/END/p' > truststore.pem`
  t.problem(
    'ssl.truststore.location',
    `a ${type} trust store can't be read; convert it with "${command}" and set ssl.truststore.type=PEM`,
  )
}

function translateKeyStore(t: Translation): void {
  const location = t.take('ssl.keystore.location')
  const key = t.take('ssl.keystore.key')
  const chain = t.take('ssl.keystore.certificate.chain')
  const type = storeType(t, 'ssl.keystore.type', location, key ?? chain)
  const password = t.take('ssl.keystore.password')
  const keyPassword = t.take('ssl.key.password')
  if (keyPassword !== undefined) t.set('ssl.key.password', keyPassword)
  if ((key === undefined) !== (chain === undefined)) {
    t.problem('ssl.keystore.key', 'and ssl.keystore.certificate.chain belong together')
  }
  if (key !== undefined) t.set('ssl.key.pem', key)
  if (chain !== undefined) t.set('ssl.certificate.pem', chain)
  if (location === undefined) return
  if (type === 'PEM') {
    t.set('ssl.key.location', location)
    t.set('ssl.certificate.location', location)
  } else if (type === 'PKCS12') {
    t.set('ssl.keystore.location', location)
    if (password !== undefined) t.set('ssl.keystore.password', password)
  } else {
    const command = `keytool -importkeystore -srckeystore ${location} -destkeystore keystore.p12 -deststoretype PKCS12`
    t.problem(
      'ssl.keystore.location',
      `a JKS key store can't be read; convert it with "${command}" and set ssl.keystore.type=PKCS12`,
    )
  }
}

/** Java's default is JKS, but a file that names itself something else is taken at its word. */
function storeType(
  t: Translation,
  key: string,
  location: string | undefined,
  inline: string | undefined,
): string {
  const type = t.take(key)?.toUpperCase()
  if (type !== undefined) {
    if (!['JKS', 'PKCS12', 'PEM'].includes(type)) t.problem(key, 'must be PEM, PKCS12 or JKS')
    return type
  }
  if (inline !== undefined || /\.(pem|crt|cer)$/i.test(location ?? '')) return 'PEM'
  return /\.(p12|pfx|pkcs12)$/i.test(location ?? '') ? 'PKCS12' : 'JKS'
}
