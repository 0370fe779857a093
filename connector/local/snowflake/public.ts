// What other projects import as `mta-connect/local-snowflake`, for tests of their own pipelines.
export type { LocalUser } from './auth.ts'
export { FAULT_DESCRIPTIONS } from './faults.ts'
export {
  type LocalLimits,
  type LocalSnowflake,
  type LocalSnowflakeOptions,
  SNOWFLAKE_LIMITS,
  startLocalSnowflake,
} from './server.ts'
export { keepCertificates, type StoredCertificates } from './tls/certificate-folder.ts'
