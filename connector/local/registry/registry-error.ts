/** An answer that is not 200, with the registry's own code. The HTTP status is the code's first three digits. */
export class RegistryError extends Error {
  readonly errorCode: number
  constructor(errorCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.errorCode = errorCode
  }
  get status(): number {
    return Number(String(this.errorCode).slice(0, 3))
  }
}

const VERSION_RANGE = 'Allowed values are between [1, 2^31-1] and the string "latest"'

export const subjectNotFound = (subject: string): RegistryError =>
  new RegistryError(40401, `Subject '${subject}' not found.`)
export const versionNotFound = (version: number | string): RegistryError =>
  new RegistryError(40402, `Version ${version} not found.`)
export const schemaNotFound = (id?: number): RegistryError =>
  new RegistryError(40403, id === undefined ? 'Schema not found' : `Schema ${id} not found`)
export const subjectSoftDeleted = (subject: string): RegistryError =>
  new RegistryError(
    40404,
    `Subject '${subject}' was soft deleted.Set permanent=true to delete permanently`,
  )
export const subjectNotSoftDeleted = (subject: string): RegistryError =>
  new RegistryError(
    40405,
    `Subject '${subject}' was not deleted first before being permanently deleted`,
  )
export const versionSoftDeleted = (subject: string, version: number): RegistryError =>
  new RegistryError(
    40406,
    `Subject '${subject}' Version ${version} was soft deleted.Set permanent=true to delete permanently`,
  )
export const versionNotSoftDeleted = (subject: string, version: number): RegistryError =>
  new RegistryError(
    40407,
    `Subject '${subject}' Version ${version} was not deleted first before being permanently deleted`,
  )
export const noSubjectConfig = (subject: string): RegistryError =>
  new RegistryError(
    40408,
    `Subject '${subject}' does not have subject-level compatibility configured`,
  )
export const noSubjectMode = (subject: string): RegistryError =>
  new RegistryError(40409, `Subject '${subject}' does not have subject-level mode configured`)
export const incompatible = (subject: string, details: readonly string[]): RegistryError =>
  new RegistryError(
    40901,
    `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${details.join(', ')}]`,
  )
export const invalidSchema = (message: string, cause?: unknown): RegistryError =>
  new RegistryError(42201, message, { cause })
export const invalidVersion = (version: string): RegistryError =>
  new RegistryError(
    42202,
    `The specified version '${version}' is not a valid version id. ${VERSION_RANGE}`,
  )
export const operationNotPermitted = (message: string): RegistryError =>
  new RegistryError(42205, message)
export const referenceExists = (subject: string, version: number): RegistryError =>
  new RegistryError(
    42206,
    `One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=${subject},version=${version}}.`,
  )
export const invalidSubject = (subject: string): RegistryError =>
  new RegistryError(42208, `The specified subject '${subject}' is not a valid subject.`)
export const badRequest = (message: string): RegistryError => new RegistryError(400, message)
