// npm run bench -- NAME
// Prints tables of figures; ratios compare against something measured in the same run, since machines differ.

type Bench = (say: (text: string) => void) => Promise<void>

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  pipeline: async () => (await import('./pipeline.ts')).runPipelineBench,
  worker: async () => (await import('./worker.ts')).runWorkerBench,
  backlog: async () => (await import('./backlog.ts')).runBacklogBench,
  sink: async () => (await import('./sink.ts')).runSinkBench,
  endpoint: async () => (await import('./endpoint.ts')).runEndpointBench,
  'endpoint-history': async () => (await import('./endpoint-history.ts')).runEndpointHistoryBench,
  source: async () => (await import('./source.ts')).runSourceBench,
}
const [name = 'pipeline'] = process.argv.slice(2)
const load = BENCHES[name]
if (load === undefined) {
  console.error(`bench: no '${name}'; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}
const bench = await load()
await bench((text) => console.log(text))
process.exit(0)
