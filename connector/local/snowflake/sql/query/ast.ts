// What the parser makes of a SELECT. Names are folded as Snowflake folds them.

/** A type as written, e.g. `NUMBER(10,2)`. */
export interface TypeName {
  readonly name: string
  readonly parameters: readonly number[]
  readonly element?: TypeName
}

export type FrameBound = {
  readonly kind: 'unbounded' | 'current' | 'rows'
  readonly end: string
} & {
  readonly rows?: Expression
}

export interface Frame {
  readonly unit: 'ROWS' | 'RANGE'
  readonly from: FrameBound
  readonly to: FrameBound | undefined
}

export interface OrderItem {
  readonly expression: Expression
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export interface Window {
  readonly partitionBy: readonly Expression[]
  readonly orderBy: readonly OrderItem[]
  readonly frame: Frame | undefined
}

export interface FunctionCall {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expression[]
  readonly named: ReadonlyMap<string, Expression>
  readonly distinct: boolean
  readonly star: boolean
  readonly withinGroup: readonly OrderItem[]
  readonly ignoreNulls: boolean
  readonly over: Window | undefined
}

export type Expression =
  | { readonly kind: 'number' | 'string'; readonly text: string }
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'bind'; readonly key: string }
  | { readonly kind: 'column'; readonly parts: readonly string[] }
  | { readonly kind: 'unary'; readonly operator: '-' | '+' | 'NOT'; readonly operand: Expression }
  | {
      readonly kind: 'binary'
      readonly operator: string
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly kind: 'logic'
      readonly operator: 'AND' | 'OR'
      readonly operands: readonly Expression[]
    }
  | {
      readonly kind: 'cast'
      readonly operand: Expression
      readonly type: TypeName
      readonly tolerant: boolean
    }
  | {
      readonly kind: 'case'
      readonly subject: Expression | undefined
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[]
      readonly otherwise: Expression | undefined
    }
  | { readonly kind: 'path'; readonly base: Expression; readonly step: PathStep }
  | {
      readonly kind: 'in'
      readonly operand: readonly Expression[]
      readonly items: readonly (readonly Expression[])[]
      readonly negated: boolean
    }
  | {
      readonly kind: 'in-query'
      readonly operand: Expression
      readonly query: Query
      readonly negated: boolean
    }
  | {
      readonly kind: 'between'
      readonly operand: Expression
      readonly low: Expression
      readonly high: Expression
      readonly negated: boolean
    }
  | {
      readonly kind: 'like'
      readonly operator: 'LIKE' | 'ILIKE' | 'RLIKE'
      readonly operand: Expression
      readonly patterns: readonly Expression[]
      readonly all: boolean
      readonly escape: Expression | undefined
      readonly negated: boolean
    }
  | { readonly kind: 'is-null'; readonly operand: Expression; readonly negated: boolean }
  | {
      readonly kind: 'is-boolean'
      readonly operand: Expression
      readonly value: boolean
      readonly negated: boolean
    }
  | {
      readonly kind: 'is-distinct'
      readonly left: Expression
      readonly right: Expression
      readonly negated: boolean
    }
  | { readonly kind: 'exists'; readonly query: Query }
  | { readonly kind: 'subquery'; readonly query: Query }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | {
      readonly kind: 'object'
      readonly entries: readonly { readonly key: string; readonly value: Expression }[]
    }
  | { readonly kind: 'interval'; readonly text: string }
  | FunctionCall

export type PathStep =
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'index'; readonly index: Expression }

export type SelectItem =
  | {
      readonly kind: 'star'
      readonly qualifier: readonly string[]
      readonly exclude: readonly string[]
      readonly rename: ReadonlyMap<string, string>
      readonly ilike: string | undefined
    }
  | {
      readonly kind: 'expression'
      readonly expression: Expression
      readonly alias: string | undefined
      readonly text: string
    }

export interface TimeTravel {
  readonly before: boolean
  readonly kind: 'TIMESTAMP' | 'OFFSET'
  readonly value: Expression
}

interface Aliased {
  readonly alias: string | undefined
  readonly columnAliases: readonly string[]
}

export type FromItem =
  | ({
      readonly kind: 'table'
      readonly parts: readonly string[]
      readonly travel: TimeTravel | undefined
    } & Aliased)
  | ({ readonly kind: 'query'; readonly query: Query; readonly lateral: boolean } & Aliased)
  | ({ readonly kind: 'values'; readonly rows: readonly (readonly Expression[])[] } & Aliased)
  | ({
      readonly kind: 'function'
      readonly call: FunctionCall
      readonly texts: readonly string[]
    } & Aliased)
  | {
      readonly kind: 'join'
      readonly type: 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'CROSS'
      readonly left: FromItem
      readonly right: FromItem
      readonly on: Expression | undefined
      readonly using: readonly string[]
      readonly natural: boolean
    }

export interface GroupBy {
  readonly kind: 'list' | 'all' | 'rollup' | 'cube' | 'sets'
  readonly sets: readonly (readonly Expression[])[]
}

export interface Select {
  readonly kind: 'select'
  readonly distinct: boolean
  readonly items: readonly SelectItem[]
  readonly from: FromItem | undefined
  readonly where: Expression | undefined
  readonly groupBy: GroupBy | undefined
  readonly having: Expression | undefined
  readonly qualify: Expression | undefined
}

export type QueryBody =
  | Select
  | {
      readonly kind: 'set'
      readonly operator: string
      readonly left: QueryBody
      readonly right: QueryBody
    }
  | { readonly kind: 'values'; readonly rows: readonly (readonly Expression[])[] }
  | { readonly kind: 'nested'; readonly query: Query }

export interface CommonTable {
  readonly name: string
  readonly columns: readonly string[]
  readonly query: Query
}

export interface Query {
  readonly with: readonly CommonTable[]
  readonly recursive: boolean
  readonly body: QueryBody
  readonly orderBy: readonly OrderItem[]
  readonly orderByAll: 'asc' | 'desc' | undefined
  readonly limit: Expression | undefined
  readonly offset: Expression | undefined
}
