// What `mta-connect doctor` and `mta-connect offsets` are told: a sink connector's file, and the worker's.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ConfigError } from '../../api/errors.ts'
import { parseProperties } from '../../runtime/properties.ts'
import { readConnectorFile } from '../connector-file.ts'
import { resolveReferences } from '../sql/options.ts'

type Properties = Readonly<Record<string, string>>
type Environment = Readonly<Record<string, string | undefined>>

export interface SinkFiles {
  /** The connector's name, which its channels and its consumer group are called after. */
  readonly name: string
  /** With references resolved. */
  readonly sink: Properties
  /** Undefined when no worker's file was named or found. */
  readonly worker: Properties | undefined
  readonly workerFile: string | undefined
}

/**
 * Reads the connector's file and the worker's: the one that is named, else connect.properties beside the connector's file or
 * in the working directory. @throws ConfigError naming the file.
 */
export async function readSinkFiles(
  file: string,
  named: string | undefined,
  environment: Environment,
): Promise<SinkFiles> {
  const { name, config } = readConnectorFile(file, textOf(file))
  const workerFile =
    named ??
    [path.join(path.dirname(file), 'connect.properties'), 'connect.properties'].find((candidate) =>
      existsSync(candidate),
    )
  const worker =
    workerFile === undefined
      ? undefined
      : await resolved(workerFile, parseProperties(textOf(workerFile)), environment)
  return { name, sink: await resolved(file, config, environment), worker, workerFile }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`Cannot read ${file}`, { cause: error })
  }
}

async function resolved(
  file: string,
  properties: Readonly<Record<string, string | null>>,
  environment: Environment,
): Promise<Properties> {
  try {
    return await resolveReferences(properties, environment)
  } catch (error) {
    throw new ConfigError(file, { cause: error })
  }
}
