// npm run chaos -- --target sink|iceberg --rounds N --seed S [--from ROUND]
// Ends with a line of figures; exits with 1 when anything was lost or doubled.
import { parseArgs } from 'node:util'
import { runIcebergChaos } from './iceberg.ts'
import { runSinkChaos } from './sink.ts'

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'sink' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    broker: { type: 'string', default: 'auto' },
    keep: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  console.error(
    `chaos: --rounds ${values.rounds} --seed ${values.seed}: expected whole numbers, rounds at least 1`,
  )
  process.exit(2)
}
const from = Number(values.from)
if (!Number.isInteger(from) || from < 1 || from > rounds) {
  console.error(`chaos: --from ${values.from}: expected a round between 1 and ${rounds}`)
  process.exit(2)
}
console.log(`chaos: target ${values.target}, rounds ${rounds}, seed ${seed}`)
const say = (text: string): void => console.log(text)
switch (values.target) {
  case 'sink': {
    const { broker } = values
    if (broker !== 'auto' && broker !== 'kafka' && broker !== 'embedded') {
      console.error(`chaos: --broker ${broker}: expected auto, kafka or embedded`)
      process.exit(2)
    }
    if (rounds < 2) {
      console.error(`chaos: --rounds ${rounds}: expected at least 2, one of each sort`)
      process.exit(2)
    }
    const { keep } = values
    const result = await runSinkChaos({ rounds, seed, from, broker, keep, say })
    console.log(
      `rounds ${rounds - from + 1}, records ${result.records}, lost ${result.lost}, doubled ${result.doubled}`,
    )
    process.exit(result.lost === 0 && result.doubled === 0 && result.wrong === 0 ? 0 : 1)
    break
  }
  case 'iceberg': {
    const result = await runIcebergChaos({ rounds, seed, say })
    console.log(JSON.stringify(result))
    process.exit(result.violations === 0 ? 0 : 1)
    break
  }
  default:
    console.error(`chaos: --target ${values.target}: expected sink or iceberg`)
    process.exit(2)
}
