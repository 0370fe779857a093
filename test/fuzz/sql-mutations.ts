// Statements that have gone wrong, or mean harm: tokens dropped, doubled, swapped and replaced, and the query
// engine's own ways to files, settings and the environment put wherever they fit.
import type { Expressions } from './sql-expressions.ts'

const STATEMENTS = [
  'select id, route, amt from t where id > 1 order by amt desc limit 2',
  'select f.value:z::string from t, lateral flatten(input => parse_json(j):k, outer => true) f',
  'select route, count(*), avg(amt) from t group by route having count(*) > 0 qualify row_number() over (order by route) = 1',
  'with x as (select id, o:a as a from t) select x.a, (select max(id) from x) from x join t using (id)',
  "select to_char(ts, 'YYYY-MM-DD'), dateadd(day, 1, ts), ts::date from t at(offset => 0)",
  "select object_construct('a', id), array_agg(id) within group (order by id) from t group by 1",
  "select split_part(route, ',', 1), regexp_replace(j, '[a-z]+', 'x') from t union all select 'a', 'b'",
  "select * exclude (o) from t where route in ('A', 'B') and not (id is null)",
  'create or replace view v as select id from t',
  'select * from v',
  'create table if not exists m (a int, b string)',
  "show tables like '%' in schema db.s",
  'describe table t',
  'drop table if exists m',
  'grant select on table t to role r',
  "alter session set query_tag = 'x'",
]
const HARM = [
  "read_csv('#')",
  "read_text('#')",
  "read_blob('#')",
  "read_json_auto('#')",
  "read_parquet('#')",
  "glob('#')",
  "'#'",
  '"#"',
  "getenv('HOME')",
  "current_setting('home_directory')",
  'duckdb_secrets()',
  'duckdb_settings()',
  'pragma_version()',
  "query('select 1')",
  "query_table('t')",
  "sniff_csv('#')",
  "parquet_metadata('#')",
  "system.main.read_text('#')",
  'information_schema.tables',
  'pg_catalog.pg_tables',
  "copy t to '#'",
  "attach '#' as x",
  'install httpfs',
  "load '#'",
  "export database '#'",
  'set enable_external_access = true',
  'pragma database_list',
  "import database '#'",
  '; select 1',
  "'); copy t to '#' --",
  '\\',
  '$$',
  '/*',
  '--',
  '::blob',
  'columns(*)',
  '{{',
]
const TOKEN = /'(?:[^'\\]|''|\\.)*'|"[^"]*"|\w+|\s+|[^\w\s]/g
const CHANGES_MAX = 4

/** One mutated statement; `#` in what means harm becomes the path of the file outside. */
export function mutate(make: Expressions, outside: string): string {
  const tokens: string[] = [...(make.pick(STATEMENTS).match(TOKEN) ?? [])]
  const harm = (): string => make.pick(HARM).replaceAll('#', outside)
  for (let change = make.below(CHANGES_MAX); change >= 0; change--) {
    const at = make.below(tokens.length)
    const other = make.below(tokens.length)
    switch (make.below(6)) {
      case 0:
        tokens.splice(at, 1)
        break
      case 1:
        tokens.splice(at, 0, tokens[other] ?? '')
        break
      case 2:
        tokens[at] = tokens[other] ?? ''
        break
      case 3:
        tokens[at] = ` ${harm()} `
        break
      case 4:
        tokens.splice(at, 0, ` ${harm()} `)
        break
      default:
        tokens[at] = make.pick(make.pick(STATEMENTS).match(TOKEN) ?? [''])
    }
    if (tokens.length === 0) tokens.push(harm())
  }
  return tokens.join('')
}
