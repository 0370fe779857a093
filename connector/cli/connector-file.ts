import { ConfigError, toMessage } from '../api/errors.ts'
import { createRequest, configRequest } from '../rest/entities.ts'
import { parseProperties } from '../runtime/properties.ts'
import type { InitialConnector } from './start-worker.ts'

/**
 * Reads a connector's file as Kafka Connect's standalone mode does: JSON as POST /connectors has it, else a flat JSON map,
 * else Java properties. @throws ConfigError naming the file.
 */
export function readConnectorFile(file: string, text: string): InitialConnector {
  try {
    const json = tryJson(text)
    if (json === undefined) return named(parseProperties(text))
    if (typeof json === 'object' && json !== null && 'config' in json) {
      const { name, config, targetState } = createRequest(json)
      return { name, config, ...(targetState !== undefined && { targetState }) }
    }
    return named(configRequest(json))
  } catch (error) {
    throw new ConfigError(`${file}: ${toMessage(error)}`, { cause: error })
  }
}

function named(config: InitialConnector['config']): InitialConnector {
  const name = config['name']?.trim()
  if (name === undefined || name === '') {
    throw new ConfigError('Missing required configuration "name" which has no default value.')
  }
  return { name, config }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined // Properties, then.
  }
}
