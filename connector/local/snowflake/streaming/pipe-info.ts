import { randomBytes, randomUUID } from 'node:crypto'
import type { PipeIdentifier } from './ingests.ts'

const LIFETIME_MS = 3_600_000

/** The answer to `:pipe-info` that SDKs 1.1.2 to 1.9.1 take; the stage is named, clients in rowset mode never use it. */
export function pipeInfo(
  pipe: PipeIdentifier,
  options: { nowMs: number; storageEndpoint: string },
): object {
  const stage = {
    expiry_time_ms: options.nowMs + LIFETIME_MS,
    location_type: 'S3',
    use_s3_regional_url: false,
    region: 'us-east-1',
    storage_account: null,
    storage_endpoint: options.storageEndpoint,
    bucket_name: 'stage',
    creds: { AWS_KEY_ID: 'local', AWS_SECRET_KEY: 'local', AWS_TOKEN: 'local' },
  }
  const located = (): object => {
    const prefix = `${pipe.database}/${pipe.schema}/${randomUUID()}/`
    return { ...stage, location: `stage/${prefix}`, path_prefix: prefix }
  }
  return {
    database: pipe.database,
    schema: pipe.schema,
    pipe: pipe.pipe,
    owner: null,
    valid: true,
    rowset_stage_location: located(),
    durable_stage_location: located(),
    encryption_info: {
      pipe_key: randomBytes(32).toString('base64'),
      pipe_key_id: 1,
      diversifier: `${pipe.database}.${pipe.schema}.${pipe.pipe}`,
    },
    parameter_overrides: { binary_input_format: 'BASE64' },
  }
}
