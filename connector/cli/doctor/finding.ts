// What the doctor finds, and how it is told.
import { ConnectError, toMessage } from '../../api/errors.ts'

/** `warning`: it works, or will be made, but somebody should know. `skipped`: what it needs is wrong already. */
export type State = 'ok' | 'warning' | 'wrong' | 'skipped'

export interface Finding {
  readonly check: string
  readonly state: State
  /** What is so, in one sentence or two. */
  readonly says: string
  /** SQL, a setting or a command that mends it. */
  readonly mend?: string | undefined
}

/** Findings in their order, each told as soon as it is there. */
export type Tell = (finding: Finding) => void

const MARKS: Readonly<Record<State, string>> = {
  ok: 'ok     ',
  warning: 'warning',
  wrong: 'WRONG  ',
  skipped: 'skipped',
}

/** The finding as lines of text. */
export function render({ check, state, says, mend }: Finding): string {
  const lines = [`${MARKS[state]}  ${check}: ${indent(says)}`]
  if (mend !== undefined) lines.push(`         mend: ${indent(mend)}`)
  return `${lines.join('\n')}\n`
}

const indent = (text: string): string => text.replaceAll('\n', '\n         ')

/** What `work` gives, or an error once `timeoutMs` have passed, whether or not it listens to its signal. */
export async function bounded<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs)
  const listening = new AbortController()
  const end = new Promise<never>((_, reject) => {
    signal.addEventListener(
      'abort',
      () => reject(new ConnectError(`No answer within ${timeoutMs} ms`)),
      { once: true, signal: listening.signal },
    )
  })
  try {
    return await Promise.race([work(signal), end])
  } finally {
    listening.abort()
  }
}

/** The error's words with those of its causes. */
export const wordsOf = (error: unknown): string => toMessage(error)

const SECRET =
  /passphrase|password|secret|private\.key$|token$|user\.info|jaas\.config|sasl\.oauthbearer/i

/** Takes the configuration's secrets out of a text, whoever put them there. */
export function withoutSecrets(
  configurations: readonly Readonly<Record<string, string>>[],
): (text: string) => string {
  const secrets = configurations.flatMap((properties) =>
    Object.entries(properties).flatMap(([key, value]) =>
      SECRET.test(key) && value.trim().length >= 4 ? [value, value.trim()] : [],
    ),
  )
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '********'), text)
}
