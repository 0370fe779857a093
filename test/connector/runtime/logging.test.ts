import { describe, expect, test } from 'vitest'
import {
  createLogger,
  LOGGERS,
  LogLevels,
  type LogLevel,
} from '../../../connector/runtime/logging.ts'

/** A log at INFO and what it has written, as `logger: message`. */
function recorded(level: LogLevel = 'INFO') {
  const lines: string[] = []
  const log = createLogger(level, {
    write: (text) => {
      const { logger = 'root', msg } = JSON.parse(text) as { logger?: string; msg: string }
      lines.push(`${logger}: ${msg}`)
    },
  })
  return { lines, log, levels: new LogLevels(log, level) }
}

describe('LogLevels', () => {
  test('changes one logger, made before or after, and no other', () => {
    const { levels, lines } = recorded()
    const sink = levels.child({ connector: 'a', task: 0 }, LOGGERS.sinkTask)
    const source = levels.child({ connector: 'b', task: 0 }, LOGGERS.sourceTask)
    expect(levels.set(LOGGERS.sinkTask, 'DEBUG', 7)).toEqual([LOGGERS.sinkTask])
    const later = levels.child({ connector: 'c', task: 0 }, LOGGERS.sinkTask)
    for (const log of [sink, source, later]) log.debug('Heard.')
    expect(lines).toEqual([`${LOGGERS.sinkTask}: Heard.`, `${LOGGERS.sinkTask}: Heard.`])
    expect(levels.get(LOGGERS.sinkTask)).toMatchObject({ level: 'DEBUG', modifiedMs: 7 })
    expect(levels.get(LOGGERS.sourceTask)).toMatchObject({ level: 'INFO', modifiedMs: undefined })
  })

  test('changes a namespace with all below it, also what is made later', () => {
    const { levels, lines } = recorded()
    const herder = levels.child({}, LOGGERS.herder)
    const changed = levels.set('org.apache.kafka.connect.runtime', 'ERROR', 1)
    expect(changed).toContain(LOGGERS.herder)
    expect(changed).toContain('org.apache.kafka.connect.runtime')
    herder.warn('Not heard.')
    levels.child({}, 'org.apache.kafka.connect.runtime.Later').warn('Not heard.')
    levels.child({}, 'com.example.Other').warn('Heard.')
    expect(lines).toEqual(['com.example.Other: Heard.'])
  })

  test('of the root changes everything; what is in force already is no change', () => {
    const { levels, lines, log } = recorded()
    const child = levels.child({ connector: 'a' })
    expect(levels.set('root', 'INFO', 1)).toEqual([])
    expect(levels.set('root', 'TRACE', 2)).toEqual([...levels.list().keys()])
    log.trace('Heard.')
    child.trace('Heard.')
    levels.set('root', 'OFF', 3)
    log.fatal('Not heard.')
    child.fatal('Not heard.')
    expect(lines).toEqual(['root: Heard.', `${LOGGERS.connector}: Heard.`])
  })

  test('keeps no more names than a thousand', () => {
    const { levels } = recorded()
    for (let i = 0; i < 2_000; i++) levels.set(`name.${i}`, 'DEBUG', 1)
    expect(levels.list().size).toBeLessThanOrEqual(1_001)
  })
})
