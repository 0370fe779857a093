// Statements of administration: accepted, recorded, shown by SHOW, and reported as not enforced. Only the key of
// a user has an effect: whoever holds it can log in.
import { alreadyExists, doesNotExist, syntaxError, unsupported } from '../errors.ts'
import type { SqlContext } from './create-drop.ts'
import { readName } from './object-name.ts'
import { listResult, type ResultSet, statusResult, timestampCell } from './result.ts'
import type { Statement } from './session.ts'
import type { TokenReader } from './token-reader.ts'

/** What is recorded, longest names first, with what SHOW calls many of it. */
const KINDS: readonly (readonly [kind: string, plural: string])[] = [
  ['NOTIFICATION INTEGRATION', 'NOTIFICATION INTEGRATIONS'],
  ['STORAGE INTEGRATION', 'STORAGE INTEGRATIONS'],
  ['SECURITY INTEGRATION', 'SECURITY INTEGRATIONS'],
  ['CATALOG INTEGRATION', 'CATALOG INTEGRATIONS'],
  ['API INTEGRATION', 'API INTEGRATIONS'],
  ['ROW ACCESS POLICY', 'ROW ACCESS POLICIES'],
  ['AUTHENTICATION POLICY', 'AUTHENTICATION POLICIES'],
  ['MASKING POLICY', 'MASKING POLICIES'],
  ['NETWORK POLICY', 'NETWORK POLICIES'],
  ['NETWORK RULE', 'NETWORK RULES'],
  ['RESOURCE MONITOR', 'RESOURCE MONITORS'],
  ['EXTERNAL VOLUME', 'EXTERNAL VOLUMES'],
  ['DATABASE ROLE', 'DATABASE ROLES'],
  ['WAREHOUSE', 'WAREHOUSES'],
  ['STREAM', 'STREAMS'],
  ['ALERT', 'ALERTS'],
  ['ROLE', 'ROLES'],
  ['USER', 'USERS'],
  ['TASK', 'TASKS'],
  ['TAG', 'TAGS'],
]
const NOT_ENFORCED = 'Not enforced by the embedded endpoint.'
const TEXT_MAX = 20_000

/** Reads the words of a kind of recorded object; undefined when none is next. */
export function readKind(reader: TokenReader): string | undefined {
  return KINDS.map(([kind]) => kind).find((kind) => reader.take(...kind.split(' ')))
}

const fullName = (reader: TokenReader, statement: Statement): string =>
  readName(reader, statement).join('.')

/** After `CREATE [OR REPLACE] KIND`. */
export async function createObject(
  kind: string,
  reader: TokenReader,
  statement: Statement,
  { objects, clock, registerKey, replace }: SqlContext & { readonly replace: boolean },
): Promise<ResultSet> {
  const tolerant = reader.take('IF', 'NOT', 'EXISTS')
  const name = fullName(reader, statement)
  if (objects.object(kind, name) !== undefined && !replace) {
    if (tolerant) return statusResult(`${name} already exists, statement succeeded.`)
    throw alreadyExists(kind, name)
  }
  const options = readSettings(reader)
  if (kind === 'USER') registerKeys(name, options, registerKey)
  await objects.putObject({
    kind,
    name,
    options,
    createdMs: clock.now(),
    owner: statement.session.role,
  })
  return statusResult(`${title(kind)} ${name} successfully created. ${NOT_ENFORCED}`)
}

/** After `ALTER KIND`: what SET names is recorded, what UNSET names is forgotten. */
export async function alterObject(
  kind: string,
  reader: TokenReader,
  statement: Statement,
  { objects, clock, registerKey }: SqlContext,
): Promise<ResultSet> {
  const tolerant = reader.take('IF', 'EXISTS')
  const isAnonymous =
    kind === 'WAREHOUSE' && ['SET', 'SUSPEND', 'RESUME'].includes(reader.peek().value)
  const name = isAnonymous ? (statement.session.warehouse ?? '') : fullName(reader, statement)
  const known = objects.object(kind, name)
  const isSelf = kind === 'USER' && name === statement.session.user
  if (known === undefined && !isSelf) {
    if (tolerant) return statusResult('Statement executed successfully.')
    throw doesNotExist(title(kind), name)
  }
  const before = known ?? {
    kind,
    name,
    options: {},
    createdMs: clock.now(),
    owner: statement.session.role,
  }
  if (reader.take('RENAME', 'TO')) {
    await objects.putObject({ ...before, name: fullName(reader, statement) })
    await objects.dropObject(kind, name)
    return statusResult('Statement executed successfully.')
  }
  const isUnset = reader.take('UNSET')
  if (!isUnset) reader.take('SET')
  const changes = readSettings(reader)
  if (kind === 'USER' && !isUnset) registerKeys(name, changes, registerKey)
  const options = isUnset
    ? Object.fromEntries(Object.entries(before.options).filter(([key]) => !(key in changes)))
    : { ...before.options, ...changes }
  await objects.putObject({ ...before, options })
  return statusResult(`Statement executed successfully. ${NOT_ENFORCED}`)
}

/** After `DROP KIND`. */
export async function dropRecorded(
  kind: string,
  reader: TokenReader,
  statement: Statement,
  { objects }: SqlContext,
): Promise<ResultSet> {
  const tolerant = reader.take('IF', 'EXISTS')
  const name = fullName(reader, statement)
  if (await objects.dropObject(kind, name)) return statusResult(`${name} successfully dropped.`)
  if (tolerant)
    return statusResult('Drop statement executed successfully (object already dropped).')
  throw doesNotExist(title(kind), name)
}

function registerKeys(
  user: string,
  options: Readonly<Record<string, string>>,
  registerKey: SqlContext['registerKey'],
): void {
  const key = options['RSA_PUBLIC_KEY']
  if (key !== undefined && key !== '') registerKey?.(user, key)
}

/** `KEY = value …`, and whatever else there is as the rest of the text. Passwords are not kept. */
function readSettings(reader: TokenReader): Readonly<Record<string, string>> {
  const options: Record<string, string> = {}
  const start = reader.peek().start
  while (!reader.isAtEnd) {
    const token = reader.next()
    if (token.kind === 'word' && reader.sees('=') && !reader.sees('=', '(')) {
      reader.at++
      options[token.value] = reader.next().value
    } else if (token.kind === 'word' && !reader.sees('=')) options[token.value] ??= ''
  }
  delete options['PASSWORD']
  const text = reader.sql.slice(start).trim()
  if (text.length > TEXT_MAX) throw syntaxError(`more than ${TEXT_MAX} characters of options`)
  if (!/\bPASSWORD\b|SECRET/i.test(text)) options['*'] = text
  return options
}

const title = (kind: string): string => kind.slice(0, 1) + kind.slice(1).toLowerCase()

/** GRANT and REVOKE: recorded by what they grant and to whom. */
export async function grant(
  word: 'GRANT' | 'REVOKE',
  statement: Statement,
  { objects, clock }: SqlContext,
): Promise<ResultSet> {
  const text = statement.sql.replaceAll(/\s+/g, ' ').trim()
  const match =
    /^(?:grant|revoke(?: grant option for)?) (.+?)(?: on (.+?))? (?:to|from) (?:(database role|role|user|share) )?("[^"]+"|[\w$.]+)((?: with grant option| copy current grants| revoke current grants| cascade| restrict)*)$/i.exec(
      text,
    )
  if (match === null) throw syntaxError(`${word} without what is granted and to whom`)
  const [, privilege = '', on = '', toKind = 'role', to = '', rest = ''] = match
  const options = {
    privilege: privilege.toUpperCase(),
    on: on === '' ? '' : on.toUpperCase(),
    granted_to: toKind.toUpperCase(),
    grantee: to.toUpperCase(),
    grant_option: String(/with grant option/i.test(rest)),
  }
  const name = `${options.privilege}|${options.on}|${options.granted_to}|${options.grantee}`
  if (word === 'REVOKE') await objects.dropObject('GRANT', name)
  else
    await objects.putObject({
      kind: 'GRANT',
      name,
      options,
      createdMs: clock.now(),
      owner: statement.session.role,
    })
  return statusResult(`Statement executed successfully. ${NOT_ENFORCED}`)
}

/** After `SHOW`: a list of recorded objects, or undefined when it asks for something else. */
export function showRecorded(reader: TokenReader, { objects }: SqlContext): ResultSet | undefined {
  if (reader.take('GRANTS')) return showGrants(reader, objects)
  const found = KINDS.find(([, plural]) => reader.take(...plural.split(' ')))
  const kind = found?.[0] ?? (reader.take('INTEGRATIONS') ? 'INTEGRATION' : undefined)
  if (kind === undefined) return undefined
  const like = reader.take('LIKE') ? reader.expectString() : undefined
  // What comes after that says where to look; there is one place only.
  if (reader.take('IN')) while (!reader.isAtEnd) reader.at++
  reader.expectEnd()
  const pattern =
    like === undefined
      ? undefined
      : new RegExp(
          `^${like
            .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
            .replaceAll('%', '.*')
            .replaceAll('_', '.')}$`,
          'is',
        )
  const kinds =
    kind === 'INTEGRATION'
      ? KINDS.map(([name]) => name).filter((name) => name.endsWith(' INTEGRATION'))
      : [kind]
  const rows = kinds
    .flatMap((name) => objects.objects(name))
    .filter(({ name }) => pattern?.test(name) ?? true)
  const extra = COLUMNS[kind] ?? []
  return listResult(
    [
      'created_on:timestamp_ltz',
      'name',
      ...extra.map(([column]) => column),
      'owner',
      'comment',
      'is_enforced',
    ],
    rows
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((object) => [
        timestampCell(object.createdMs),
        object.name,
        ...extra.map(([, option, otherwise]) => object.options[option] ?? otherwise),
        object.owner,
        object.options['COMMENT'] ?? '',
        'false',
      ]),
  )
}

/** Columns that SHOW has for a kind beside those of all: name, option, and what it is without the option. */
const COLUMNS: Readonly<Record<string, readonly (readonly [string, string, string])[]>> = {
  WAREHOUSE: [
    ['state', 'STATE', 'STARTED'],
    ['type', 'WAREHOUSE_TYPE', 'STANDARD'],
    ['size', 'WAREHOUSE_SIZE', 'X-Small'],
    ['auto_suspend', 'AUTO_SUSPEND', '600'],
    ['auto_resume', 'AUTO_RESUME', 'true'],
    ['resource_monitor', 'RESOURCE_MONITOR', 'null'],
  ],
  USER: [
    ['login_name', 'LOGIN_NAME', ''],
    ['default_warehouse', 'DEFAULT_WAREHOUSE', ''],
    ['default_namespace', 'DEFAULT_NAMESPACE', ''],
    ['default_role', 'DEFAULT_ROLE', ''],
    ['has_rsa_public_key', 'RSA_PUBLIC_KEY', ''],
  ],
  'EXTERNAL VOLUME': [['allow_writes', 'ALLOW_WRITES', 'true']],
  'RESOURCE MONITOR': [['credit_quota', 'CREDIT_QUOTA', '']],
  TAG: [['allowed_values', '*', '']],
  'MASKING POLICY': [['definition', '*', '']],
  'ROW ACCESS POLICY': [['definition', '*', '']],
  TASK: [
    ['schedule', 'SCHEDULE', ''],
    ['definition', '*', ''],
  ],
  STREAM: [['definition', '*', '']],
}

function showGrants(reader: TokenReader, objects: SqlContext['objects']): ResultSet {
  const grants = objects.objects('GRANT')
  let rows = grants
  if (reader.take('TO')) {
    const toKind = ['ROLE', 'USER'].find((word) => reader.take(word))
    if (toKind === undefined) throw unsupported(`SHOW GRANTS TO ${reader.peek().value}`)
    const name = reader.expectName()
    rows = grants.filter(
      ({ options }) => options['grantee'] === name && options['granted_to'] === toKind,
    )
  } else if (reader.take('OF', 'ROLE')) {
    const name = reader.expectName()
    rows = grants.filter(({ options }) => options['privilege'] === `ROLE ${name}`)
  } else if (reader.take('ON')) {
    const text = reader.sql.slice(reader.peek().start).replaceAll(/\s+/g, ' ').trim().toUpperCase()
    reader.at = reader.tokens.length - 1
    rows = grants.filter(({ options }) => options['on'] === text)
  }
  reader.expectEnd()
  return listResult(
    [
      'created_on:timestamp_ltz',
      'privilege',
      'granted_on',
      'name',
      'granted_to',
      'grantee_name',
      'grant_option',
      'granted_by',
    ],
    rows.map(({ createdMs, options, owner }) => {
      const isRole = options['on'] === ''
      const [, on = '', name = ''] = /^(.*?) ?(\S*)$/.exec(options['on'] ?? '') ?? []
      return [
        timestampCell(createdMs),
        isRole ? 'USAGE' : (options['privilege'] ?? ''),
        isRole ? 'ROLE' : on,
        isRole ? (options['privilege'] ?? '').replace(/^ROLE /, '') : name,
        options['granted_to'] ?? '',
        options['grantee'] ?? '',
        options['grant_option'] ?? 'false',
        owner,
      ]
    }),
  )
}

/** After `ALTER DATABASE|SCHEMA|PIPE|ACCOUNT`: SET and UNSET of options and tags are recorded; all else is refused. */
export async function alterContainer(
  kind: string,
  reader: TokenReader,
  statement: Statement,
  { objects, clock }: SqlContext,
): Promise<ResultSet> {
  reader.take('IF', 'EXISTS')
  const name = kind === 'ACCOUNT' ? 'EMBEDDED' : fullName(reader, statement)
  if (!reader.sees('SET') && !reader.sees('UNSET'))
    throw unsupported(`ALTER ${kind} … ${reader.peek().value}`)
  await record(`${kind} SETTINGS`, name, reader, { objects, clock, owner: statement.session.role })
  return statusResult(`Statement executed successfully. ${NOT_ENFORCED}`)
}

async function record(
  kind: string,
  name: string,
  reader: TokenReader,
  { objects, clock, owner }: Pick<SqlContext, 'objects' | 'clock'> & { readonly owner: string },
): Promise<void> {
  const before = objects.object(kind, name)?.options ?? {}
  await objects.putObject({
    kind,
    name,
    options: { ...before, ...readSettings(reader) },
    createdMs: clock.now(),
    owner,
  })
}

/** `SET TAG …`, `MODIFY COLUMN c SET MASKING POLICY p`, … of a table: recorded. */
export async function recordOnTable(
  table: string,
  reader: TokenReader,
  { session }: Statement,
  { objects, clock }: SqlContext,
): Promise<ResultSet> {
  const text = reader.sql.slice(reader.peek().start)
  await record('POLICY REFERENCE', `${table} ${text}`.slice(0, 500), reader, {
    objects,
    clock,
    owner: session.role,
  })
  return statusResult(`Statement executed successfully. ${NOT_ENFORCED}`)
}

/** After `COMMENT`: `[IF EXISTS] ON KIND name IS 'text'`, recorded. */
export async function commentOn(
  reader: TokenReader,
  statement: Statement,
  { objects, clock }: SqlContext,
): Promise<ResultSet> {
  reader.take('IF', 'EXISTS')
  reader.expect('ON')
  const kind = readKind(reader) ?? reader.expectName()
  const name = fullName(reader, statement)
  reader.expect('IS')
  const comment = reader.expectString()
  reader.expectEnd()
  const known = objects.object(kind, name)
  if (known !== undefined)
    await objects.putObject({ ...known, options: { ...known.options, COMMENT: comment } })
  else
    await objects.putObject({
      kind: `${kind} COMMENT`,
      name,
      options: { COMMENT: comment },
      createdMs: clock.now(),
      owner: statement.session.role,
    })
  return statusResult('Statement executed successfully.')
}

/** After `DESCRIBE`: the options of a recorded object; undefined when it asks for something else. */
export function describeRecorded(
  reader: TokenReader,
  statement: Statement,
  { objects }: SqlContext,
): ResultSet | undefined {
  const kind = readKind(reader)
  if (kind === undefined) return undefined
  const name = fullName(reader, statement)
  reader.expectEnd()
  const object = objects.object(kind, name)
  if (object === undefined) throw doesNotExist(title(kind), name)
  const options = Object.entries(object.options).filter(([option]) => option !== '*')
  return listResult(
    ['property', 'value'],
    [
      ['NAME', name],
      ...options,
      ['DEFINITION', object.options['*'] ?? ''],
      ['IS_ENFORCED', 'false'],
    ],
  )
}
