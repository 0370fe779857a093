// The SQL that the sink uses, on tables in memory: what DESCRIBE shows is what CREATE and ALTER were told.
import { SqlError, type SqlConnect, type SqlRow } from '../../connector/snowflake/sql.ts'

export class FakeSql {
  /** Columns with their types by table, in the order they were made. */
  readonly tables = new Map<string, Map<string, string>>()
  readonly statements: string[] = []
  sessions = 0
  /** Thrown by the next statements, one each. */
  failures: Error[] = []

  readonly connect: SqlConnect = () => {
    this.sessions++
    return Promise.resolve({
      execute: (sql) => {
        this.statements.push(sql)
        const failure = this.failures.shift()
        return failure === undefined
          ? Promise.resolve().then(() => this.#run(sql))
          : Promise.reject(failure)
      },
      close: () => Promise.resolve(),
    })
  }

  #run(sql: string): readonly SqlRow[] {
    const [, name = ''] = /TABLE (?:IF NOT EXISTS )?((?:"[^"]+"\.?)+)/.exec(sql) ?? []
    if (sql.startsWith('DESCRIBE')) return this.#describe(name)
    if (sql.startsWith('CREATE ICEBERG TABLE')) {
      const columns = new Map(columnsOf(sql))
      if (!this.tables.has(name)) this.tables.set(name, columns)
    }
    const added = /ADD COLUMN IF NOT EXISTS "([^"]+)" (.*)$/.exec(sql)
    if (added !== null) this.#columns(name).set(added[1] ?? '', added[2] ?? '')
    const widened = /ALTER COLUMN "([^"]+)" SET DATA TYPE (.*)$/.exec(sql)
    if (widened !== null) this.#columns(name).set(widened[1] ?? '', widened[2] ?? '')
    return []
  }

  #describe(name: string): readonly SqlRow[] {
    return [...this.#columns(name)].map(([column, type]) => ({ name: column, type }))
  }

  #columns(name: string): Map<string, string> {
    const columns = this.tables.get(name)
    if (columns === undefined) {
      throw new SqlError(`${name} does not exist or not authorized`, {
        code: 2003,
        sqlState: '42S02',
      })
    }
    return columns
  }
}

/** `"NAME" TYPE` pairs of a CREATE, by counting brackets. */
function columnsOf(sql: string): readonly (readonly [string, string])[] {
  const list: string[] = []
  let depth = 0
  for (const char of sql.slice(sql.indexOf('('))) {
    if (char === ')' && --depth === 0) break
    if (depth === 1 && char === ',') list.push('')
    else if (depth > 0) list.push((list.pop() ?? '') + char)
    if (char === '(') depth++
  }
  return list.map((item) => {
    const [, name = '', type = ''] = /^\s*"([^"]+)" (.*)$/.exec(item) ?? []
    return [name, type] as const
  })
}
