import { invalidSubject } from './registry-error.ts'

/** The context of subjects that name none. */
export const DEFAULT_CONTEXT = '.'
const RESERVED: ReadonlySet<string> = new Set(['__GLOBAL', '__EMPTY'])
const QUALIFIED = /^:(\.[^:]*):(.*)$/s

/** The context and the name in `:.context:name`, or the default context. */
export function splitSubject(subject: string): { readonly context: string; readonly name: string } {
  const [, context, name] = QUALIFIED.exec(subject) ?? []
  return context === undefined || name === undefined
    ? { context: DEFAULT_CONTEXT, name: subject }
    : { context, name }
}

/** A subject of a context, in the one form under which it is kept. */
export const joinSubject = (context: string, name: string): string =>
  context === DEFAULT_CONTEXT ? name : `:${context}:${name}`

/** The subject in its one form. Throws 42208 for a name that cannot be one. */
export function checkSubject(subject: string): string {
  const { context, name } = splitSubject(subject)
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (name === '' || RESERVED.has(name) || /[\u0000-\u001f\u007f]/.test(subject)) {
    throw invalidSubject(subject)
  }
  return joinSubject(context, name)
}
