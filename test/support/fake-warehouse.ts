// A Warehouse in memory with the real one's promises: a commit is atomic, and a failed one changes nothing.
// What it holds is what a disk would hold: an endpoint can be thrown away and another one started on it.
import { isDeepStrictEqual } from 'node:util'
import type {
  Commit,
  IcebergField,
  IcebergStruct,
  IcebergTable,
  IcebergType,
  NewField,
  NewType,
  QueryOptions,
  QueryResult,
  SchemaChange,
  SnapshotInfo,
  TableIdentifier,
  Warehouse,
} from '../../connector/local/iceberg/types.ts'
import { RowRejectedError } from '../../connector/local/iceberg/types.ts'

export type FakeRow = Readonly<Record<string, unknown>>

export class FakeTable implements IcebergTable {
  readonly identifier: TableIdentifier
  readonly uuid: string
  readonly location: string
  schema: IcebergStruct
  schemaId = 0
  properties: Readonly<Record<string, string>>
  version = 1
  readonly snapshots: SnapshotInfo[] = []
  readonly rows: FakeRow[] = []
  #nextId = 1
  readonly #warehouse: FakeWarehouse

  constructor(
    warehouse: FakeWarehouse,
    identifier: TableIdentifier,
    options: { fields: readonly NewField[]; properties: Readonly<Record<string, string>> },
  ) {
    this.#warehouse = warehouse
    this.identifier = identifier
    this.uuid = `uuid-${warehouse.nextUuid++}`
    this.location = `${warehouse.folder}/${identifier.database}/${identifier.schema}/${identifier.table}`
    this.properties = options.properties
    this.schema = { type: 'struct', fields: options.fields.map((field) => this.#field(field)) }
  }

  #field(field: NewField): IcebergField {
    const id = this.#nextId++
    return { id, name: field.name, required: field.required, type: this.#type(field.type) }
  }

  #type(type: NewType): IcebergType {
    if (typeof type === 'string') return type
    if (type.type === 'struct')
      return { type: 'struct', fields: type.fields.map((field) => this.#field(field)) }
    if (type.type === 'list')
      return {
        type: 'list',
        'element-id': this.#nextId++,
        element: this.#type(type.element),
        'element-required': type.elementRequired,
      }
    return {
      type: 'map',
      'key-id': this.#nextId++,
      key: this.#type(type.key),
      'value-id': this.#nextId++,
      value: this.#type(type.value),
      'value-required': type.valueRequired,
    }
  }

  currentSnapshot(): SnapshotInfo | undefined {
    return this.snapshots.at(-1)
  }

  files(): Promise<readonly never[]> {
    return Promise.resolve([])
  }

  totalRows(): number {
    return this.rows.length
  }

  async commit(commit: Commit): Promise<SnapshotInfo | undefined> {
    const rows = (commit.batch?.ndjson ?? []).flatMap((piece) =>
      Buffer.from(piece)
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as FakeRow),
    )
    await this.#warehouse.beforeCommit(this, rows)
    if (rows.some((row) => this.#warehouse.rejects(row)))
      throw new RowRejectedError('A row does not fit.')
    if ((commit.batch?.rows ?? 0) !== rows.length)
      throw new Error(`The batch says ${commit.batch?.rows} rows and has ${rows.length}.`)
    this.rows.push(...rows)
    const merged = Object.entries({ ...this.properties, ...commit.properties })
    this.properties = Object.fromEntries(
      merged.filter((entry): entry is [string, string] => entry[1] !== null),
    )
    this.version++
    const snapshot = rows.length === 0 ? undefined : this.#append(commit.summary ?? {})
    await this.#warehouse.afterCommit(this)
    return snapshot
  }

  #append(summary: Readonly<Record<string, string>>): SnapshotInfo {
    const snapshot: SnapshotInfo = {
      snapshotId: this.version,
      parentId: this.currentSnapshot()?.snapshotId ?? null,
      sequenceNumber: this.version,
      timestampMs: this.version,
      operation: 'append',
      summary,
      schemaId: this.schemaId,
    }
    this.snapshots.push(snapshot)
    return snapshot
  }

  updateSchema(changes: readonly SchemaChange[]): Promise<void> {
    for (const change of changes) {
      const fields = this.schema.fields
      if (change.kind === 'add' && change.parent.length === 0)
        this.schema = { type: 'struct', fields: [...fields, this.#field(change.field)] }
      else if (change.kind === 'drop' && change.path.length === 1)
        this.schema = {
          type: 'struct',
          fields: fields.filter(({ name }) => name !== change.path[0]),
        }
      else throw new Error(`The fake warehouse cannot ${change.kind} nested fields.`)
    }
    this.schemaId++
    this.version++
    return Promise.resolve()
  }

  scanSql(): Promise<string> {
    return Promise.resolve(`SELECT * FROM "${this.identifier.table}"`)
  }

  compact(): Promise<boolean> {
    return Promise.resolve(false)
  }

  maintain(): Promise<void> {
    return Promise.resolve()
  }

  metadata(): Readonly<Record<string, unknown>> {
    return { 'table-uuid': this.uuid }
  }

  metadataLocation(): string {
    return `${this.location}/metadata/v${this.version}.metadata.json`
  }
}

export class FakeWarehouse implements Warehouse {
  readonly folder = '/warehouse'
  nextUuid = 1
  readonly #databases = new Map<string, Set<string>>()
  readonly #tables: FakeTable[] = []
  readonly queries: string[] = []
  /** What `query` answers; an error is thrown. */
  answer: QueryResult | Error = { columns: [], rows: [] }
  /** Awaited in the middle of each commit: a test holds it, or throws to fail the commit. */
  beforeCommit: (table: FakeTable, rows: readonly FakeRow[]) => Promise<void> = () =>
    Promise.resolve()
  /** Awaited once a commit is visible: a test throws what a disk that did not confirm it would. */
  afterCommit: (table: FakeTable) => Promise<void> = () => Promise.resolve()
  /** Rows that the engine refuses although they were checked. */
  rejects: (row: FakeRow) => boolean = () => false

  databases(): readonly string[] {
    return [...this.#databases.keys()]
  }

  schemas(database: string): readonly string[] {
    return [...(this.#databases.get(database) ?? [])]
  }

  tables(database: string, schema: string): readonly FakeTable[] {
    return this.#tables.filter(
      ({ identifier }) => identifier.database === database && identifier.schema === schema,
    )
  }

  table(identifier: TableIdentifier): FakeTable | undefined {
    return this.#tables.find((table) => isDeepStrictEqual(table.identifier, identifier))
  }

  createDatabase(name: string): Promise<void> {
    this.#databases.set(name, new Set())
    return Promise.resolve()
  }

  dropDatabase(name: string): Promise<void> {
    this.#databases.delete(name)
    return Promise.resolve()
  }

  createSchema(database: string, name: string): Promise<void> {
    this.#databases.get(database)?.add(name)
    return Promise.resolve()
  }

  dropSchema(database: string, name: string): Promise<void> {
    this.#databases.get(database)?.delete(name)
    return Promise.resolve()
  }

  createTable(
    identifier: TableIdentifier,
    fields: readonly NewField[],
    properties: Readonly<Record<string, string>>,
  ): Promise<FakeTable> {
    const table = new FakeTable(this, { ...identifier }, { fields, properties })
    this.#tables.push(table)
    return Promise.resolve(table)
  }

  async replaceTable(
    identifier: TableIdentifier,
    fields: readonly NewField[],
    properties: Readonly<Record<string, string>>,
  ): Promise<FakeTable> {
    await this.dropTable(identifier)
    return this.createTable(identifier, fields, properties)
  }

  dropTable(identifier: TableIdentifier): Promise<void> {
    const index = this.#tables.findIndex((table) => isDeepStrictEqual(table.identifier, identifier))
    if (index >= 0) this.#tables.splice(index, 1)
    return Promise.resolve()
  }

  query(sql: string, _options: QueryOptions): Promise<QueryResult> {
    this.queries.push(sql)
    return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
