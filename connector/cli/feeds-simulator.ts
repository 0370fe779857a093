// The feed server in a process of its own: MTA's paths, with a simulated city or recordings behind them.
import { parseArgs } from 'node:util'
import {
  type FeedServerMode,
  type FeedServerOptions,
  startFeedServer,
} from '../../source-mta/simulator/server.ts'
import { ConfigError } from '../api/errors.ts'
import { runPart } from '../local/child-process.ts'
import { systemClock } from '../runtime/clock.ts'
import { createLogger } from '../runtime/logging.ts'

const USAGE = `Usage: node connector/cli/feeds-simulator.js [options]

  --host HOST                 where to listen (default: 127.0.0.1)
  --port N                    0: any free port (default: 0)
  --feeds simulated|replay:DIR
                              a made-up city, or recorded bodies, each once and unchanged:
                              <unix seconds>.<tag>.pb in their order, then NAME.pb (default: simulated)
  --replay-map TAG=FEED       which feed a tag, or a file's NAME, belongs to; may be given several times
  --retime loop|once          a replay whose bodies are made to look as if they were made now, in the spacing of their
                              recording: again and again, or until the last one (default: bodies as recorded)
  --speed N                   1 to 120: a simulated feed's clock, timestamps included, runs that much faster
                              than real time; a replay waits that much less between two bodies (default: 1)
  --seed S                    a whole number; the same seed gives the same city (default: 1)
  --scale F|peak              times as many buses, 0.1 to 4; peak: exactly 4,096 buses and 7,559 bus trips at every
                              hour (default: 1)
  --bus-key KEY               the only key that the bus feeds take (default: any)
  --start TIME                what the simulated clock shows at first, e.g. 2026-06-10T08:00:00-04:00 (default: now)
  --epoch MS                  the Unix milliseconds at which it did; given again after a restart, the city goes
                              on where it would be (default: now)
`

await runPart('feeds-simulator', async () => {
  const options = readOptions(process.argv.slice(2))
  const server = await startFeedServer(options)
  return { ready: { url: server.url }, stop: () => server.close() }
})

function readOptions(args: string[]): FeedServerOptions {
  const { values } = parseArgs({
    args,
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      feeds: { type: 'string', default: 'simulated' },
      retime: { type: 'string' },
      'replay-map': { type: 'string', multiple: true, default: [] },
      speed: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      scale: { type: 'string', default: '1' },
      'bus-key': { type: 'string' },
      start: { type: 'string' },
      epoch: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    process.exit(0)
  }
  return {
    host: values.host,
    port: number('--port', values.port),
    mode: feedsMode(values),
    speed: number('--speed', values.speed),
    seed: number('--seed', values.seed),
    ...(values['bus-key'] === undefined ? {} : { busKey: values['bus-key'] }),
    clock: systemClock,
    log: createLogger('INFO'),
  }
}

function feedsMode(values: {
  readonly feeds: string
  readonly 'replay-map': readonly string[]
  readonly start?: string | undefined
  readonly epoch?: string | undefined
  readonly scale: string
  readonly retime?: string | undefined
}): FeedServerMode {
  const dir = /^replay:(.+)$/.exec(values.feeds)?.[1]
  if (dir !== undefined) {
    const map = values['replay-map'].map((pair) => {
      const [name, feed, ...rest] = pair.split('=')
      if (!name || !feed || rest.length > 0)
        throw new ConfigError(`--replay-map: expected TAG=FEED, got ${pair}`)
      return [name, feed] as const
    })
    const { retime } = values
    if (retime !== undefined && retime !== 'loop' && retime !== 'once')
      throw new ConfigError(`--retime: expected loop or once, got ${retime}`)
    return {
      kind: 'replay',
      dir,
      map: Object.fromEntries(map),
      ...(retime === undefined ? {} : { retime }),
    }
  }
  if (values.feeds !== 'simulated')
    throw new ConfigError(`--feeds: expected simulated or replay:DIR, got ${values.feeds}`)
  const startMs = values.start === undefined ? undefined : Date.parse(values.start)
  if (Number.isNaN(startMs))
    throw new ConfigError(`--start: expected an ISO 8601 time, got ${values.start}`)
  return {
    kind: 'simulated',
    scale: values.scale === 'peak' ? 'peak' : number('--scale', values.scale),
    ...(startMs === undefined ? {} : { startMs }),
    ...(values.epoch === undefined ? {} : { epochMs: number('--epoch', values.epoch) }),
  }
}

function number(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new ConfigError(`${option}: expected a number, got ${text}`)
  return value
}
