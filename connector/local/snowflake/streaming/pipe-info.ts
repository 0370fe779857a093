import type { StageLocation } from '../stage/stage.ts'
import { BUCKET } from '../stage/stage.ts'
import type { PipeIdentifier } from './ingests.ts'

const LIFETIME_MS = 3_600_000

/** The answer to `:pipe-info` that SDKs 1.1.2 to 1.9.1 take; clients in rowset mode never use the stage. */
export function pipeInfo(
  pipe: PipeIdentifier,
  options: {
    readonly nowMs: number
    /** `host:port`; clients put `https://` before it, whatever they use for the rest. */
    readonly storageEndpoint: string
    readonly location: StageLocation
  },
): object {
  const { prefix, pipeKey, token } = options.location
  const stage = {
    expiry_time_ms: options.nowMs + LIFETIME_MS,
    location_type: 'S3',
    location: `${BUCKET}/${prefix}`,
    use_s3_regional_url: false,
    region: 'us-east-1',
    storage_account: null,
    storage_endpoint: options.storageEndpoint,
    bucket_name: BUCKET,
    path_prefix: prefix,
    creds: { AWS_KEY_ID: 'local', AWS_SECRET_KEY: 'local', AWS_TOKEN: token },
  }
  return {
    database: pipe.database,
    schema: pipe.schema,
    pipe: pipe.pipe,
    owner: null,
    valid: true,
    rowset_stage_location: stage,
    durable_stage_location: stage,
    encryption_info: {
      pipe_key: pipeKey.toString('base64'),
      pipe_key_id: 1,
      diversifier: `${pipe.database}.${pipe.schema}.${pipe.pipe}`,
    },
    parameter_overrides: { binary_input_format: 'BASE64' },
  }
}
