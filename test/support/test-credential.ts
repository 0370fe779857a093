import { type ConnectionConfig, credentialOf } from '../../connector/snowflake/connection.ts'
import type { Credential } from '../../connector/snowflake/credential.ts'

/** The credential of a configuration that needs nobody to be asked for one. */
export const testCredential = (config: ConnectionConfig): Credential =>
  credentialOf(config, {
    send: () => Promise.reject(new Error('Nobody is to be asked')),
    clock: Date,
    timeoutMs: 1_000,
  })
