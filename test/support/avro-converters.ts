import { afterEach } from 'vitest'
import { AvroConverter } from '../../connector/converters/avro.ts'
import { FakeClock } from './fake-clock.ts'
import { RecordingLogger } from './registry.ts'

/** Makes converters that are closed after each test; their waits take no time. */
export function converters() {
  const open: AvroConverter[] = []
  const clock = new FakeClock({ auto: true })
  const log = new RecordingLogger()
  /** What the converters said about waiting. */
  const troubles: (string | null)[] = []
  afterEach(() => {
    for (const each of open.splice(0)) each.close()
  })
  const onRetrying = (message: string | null): unknown => troubles.push(message)
  const converter = (
    url: string,
    props: Record<string, string> = {},
    isKey = false,
  ): AvroConverter => {
    const made = new AvroConverter({ clock, random: () => 0.5, log, onRetrying })
    made.configure({ 'schema.registry.url': url, ...props }, isKey)
    open.push(made)
    return made
  }
  return { converter, clock, log, troubles }
}

/** What a call threw or rejected with, or undefined. */
export async function rejection(run: () => unknown): Promise<unknown> {
  try {
    await run()
    return undefined
  } catch (error) {
    return error
  }
}
