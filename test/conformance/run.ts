// npm run conformance [-- FILE]: our worker against recorded exchanges of Apache Kafka Connect 4.3.1.
import { readExchanges } from './exchanges.ts'
import { comparable } from './comparison.ts'
import { compareGolden, equalPart, summary } from './golden.ts'

const SHOWN_MAX = 200_000
const EQUAL_PART_MIN = 0.95

const [file] = process.argv.slice(2)
const known = readExchanges()
const result = await compareGolden(file === undefined ? known : readExchanges(file), known)

for (const { answer, exchange } of result.unexplained) {
  const { id, method, path, requestBody, section, worker } = exchange
  console.log(`DIFFERS ${section} ${id}: ${method} ${path} [${worker}]`)
  if (requestBody !== undefined) console.log(`  request  ${requestBody.slice(0, SHOWN_MAX)}`)
  console.log(`  expected ${JSON.stringify(comparable(exchange.answer)).slice(0, SHOWN_MAX)}`)
  console.log(`  answered ${JSON.stringify(comparable(answer)).slice(0, SHOWN_MAX)}`)
}
for (const [{ isJvmBug, reason }, each] of result.deviating) {
  console.log(
    `${String(each.length).padStart(4)} ${isJvmBug ? 'JVM bug  ' : 'deviation'} ${reason}`,
  )
}
const part = equalPart(result)
console.log(
  `${result.leftOut} not compared (several workers, no broker, or answers that only distributed mode gives); without JVM bugs ${(100 * part).toFixed(1)} % are equal, at least ${100 * EQUAL_PART_MIN} % must be`,
)
console.log(summary(result))
process.exit(result.unexplained.length === 0 && part >= EQUAL_PART_MIN ? 0 : 1)
