// npm run bench -- [pipeline|backlog]
// Prints tables of figures; ratios compare against something measured in the same run, since machines differ.
import { runBacklogBench } from './backlog.ts'
import { runPipelineBench } from './pipeline.ts'

const BENCHES: Readonly<Record<string, (say: (text: string) => void) => Promise<void>>> = {
  pipeline: runPipelineBench,
  backlog: runBacklogBench,
}
const [name = 'pipeline'] = process.argv.slice(2)
const bench = BENCHES[name]
if (bench === undefined) {
  console.error(`bench: no '${name}'; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}
await bench((text) => console.log(text))
process.exit(0)
