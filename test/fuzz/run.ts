// npm run fuzz -- NAME --cases N --seed S
// Each target ends with a line of figures; the run exits with 1 when one of its rules was broken.
import { parseArgs } from 'node:util'

/** What a target is given. */
export interface FuzzRun {
  readonly cases: number
  readonly seed: number
  readonly say: (text: string) => void
}

/** What a target found: `summary` is its line of figures, `violations` counts broken rules. */
export interface FuzzResult {
  readonly summary: string
  readonly violations: number
}

type Target = (run: FuzzRun) => Promise<FuzzResult>

const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  rest: async () => (await import('./rest.ts')).fuzzRest,
  endpoint: async () => (await import('./endpoint.ts')).fuzzEndpoint,
  registry: async () => (await import('./registry.ts')).fuzzRegistry,
  sql: async () => (await import('./sql.ts')).fuzzSql,
  feeds: async () => (await import('./feeds.ts')).fuzzFeeds,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string' },
  },
})
const [name = ''] = positionals
const load = TARGETS[name]
const cases = Number(values.cases)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
if (load === undefined) {
  console.error(`fuzz: no '${name}'; there are ${Object.keys(TARGETS).join(', ')}`)
  process.exit(2)
}
if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(seed)) {
  console.error(
    `fuzz: --cases ${values.cases} --seed ${values.seed}: expected whole numbers, cases at least 1`,
  )
  process.exit(2)
}
console.log(`fuzz: ${name}, cases ${cases}, seed ${seed}`)
const target = await load()
const { summary, violations } = await target({ cases, seed, say: (text) => console.log(text) })
console.log(summary)
process.exit(violations === 0 ? 0 : 1)
