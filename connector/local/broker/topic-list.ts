import { ConfigError } from '../../api/errors.ts'
import type { LocalTopic } from './broker.ts'

const PARTITIONS_MAX = 1_000

/**
 * Reads `name:partitions,…`; partitions default to 1.
 *
 * @throws ConfigError that names every wrong part.
 */
export function parseTopicList(text: string): readonly LocalTopic[] {
  const problems: string[] = []
  const seen = new Set<string>()
  const topics = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part): LocalTopic => {
      const [name = '', count = '1', ...rest] = part.split(':')
      const partitions = Number(count)
      // Kafka's own rule for topic names.
      if (
        !/^[a-zA-Z0-9._-]{1,249}$/.test(name) ||
        name === '.' ||
        name === '..' ||
        rest.length > 0
      ) {
        problems.push(`${part}: not a topic name`)
      } else if (seen.has(name)) {
        problems.push(`${name}: named twice`)
      }
      if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
        problems.push(`${part}: partitions must be in 1..${PARTITIONS_MAX}`)
      }
      seen.add(name)
      return { name, partitions }
    })
  if (problems.length > 0) throw new ConfigError(problems.join('; '))
  return topics
}
