// Where our answers differ from Apache Kafka Connect 4.3.1's on purpose, and why. Each entry is a rule about the question, the
// recorded answer and ours, so that it holds for other recordings too; a difference that no rule knows is a failure.
import { isEqual } from './comparison.ts'
import type { Answer, Exchange } from './exchanges.ts'
import { type History, LONG_INTEGER, requestName } from './history.ts'
import { withoutPhantoms } from './phantoms.ts'

export interface Deviation {
  readonly reason: string
  /** The recorded answer is a mistake of the JVM worker, which nobody wants to have back. */
  readonly isJvmBug: boolean
  readonly matches: (difference: Difference) => boolean
}

/** A recorded exchange and the answer of ours that is not equal to it. */
export interface Difference {
  readonly exchange: Exchange
  readonly expected: Answer
  readonly ours: Answer
  readonly history: History
}

const isHtml = ({ headers }: Answer): boolean =>
  headers['content-type']?.startsWith('text/html') === true

/** The error's message, '' when the body is no error. */
function message({ body }: Answer): string {
  try {
    const json: unknown = JSON.parse(body)
    return typeof json === 'object' && json !== null && 'message' in json
      ? String(json.message)
      : ''
  } catch {
    return '' // No JSON.
  }
}

const isRefusal = ({ status }: Answer): boolean => status >= 400 && status < 500

/** A path with a name that Jetty lets nobody ask for: a slash, backslash or percent sign in it, encoded as it must be. */
const UNREACHABLE = /%2f|%5c|%25|%2e/i

const NULL_POINTER = /^Cannot invoke "|is null$/
const JACKSON = /\[Source: REDACTED|^Cannot (deserialize|construct)|^Unrecognized (token|field)/
const WRAPPED = /^org\.apache\.kafka\.connect\.runtime\.rest\.errors\.BadRequestException: /
const JAVA_CLASS = /\bjava\.(lang|util)\.\w+/
const LISTED_PROBLEMS = /^Connector configuration is invalid/

interface Problem {
  readonly key: string
  readonly error: string
}

interface Validated {
  readonly error_count?: number
  readonly configs?: readonly {
    readonly definition: unknown
    readonly value: { readonly name: string; readonly errors: readonly string[] }
  }[]
}

/** The problems of a validate answer; undefined for another answer. */
function problems({ body }: Answer): readonly Problem[] | undefined {
  if (!body.startsWith('{')) return undefined
  const { configs } = JSON.parse(body) as Validated
  return configs?.flatMap(({ value }) => value.errors.map((error) => ({ key: value.name, error })))
}

/** What only we, and what only the recorded worker finds in a configuration. */
function foundBy({ expected, ours }: Difference): {
  readonly us: readonly Problem[]
  readonly them: readonly Problem[]
} {
  const [mine = [], theirs = []] = [problems(ours), problems(expected)]
  const isIn = (list: readonly Problem[], { error, key }: Problem): boolean =>
    list.some((other) => other.key === key && other.error === error)
  return {
    us: mine.filter((problem) => !isIn(theirs, problem)),
    them: theirs.filter((problem) => !isIn(mine, problem)),
  }
}

/** The answer without definitions and problems of the keys named, to see that nothing else differs. */
function without(answer: Answer, isLeftOut: (key: string) => boolean): Answer {
  if (problems(answer) === undefined) return answer
  const json = JSON.parse(answer.body) as Validated
  const configs = json.configs?.filter(({ value }) => !isLeftOut(value.name))
  return { ...answer, body: JSON.stringify({ ...json, error_count: 0, configs }) }
}

const differsOnlyIn = (
  { expected, ours }: Difference,
  isLeftOut: (key: string) => boolean,
): boolean => isEqual(without(expected, isLeftOut), without(ours, isLeftOut))

const UNFOUND =
  /^topic\.creation\.|^Invalid value .* There is no predicate of that alias|There is no config provider of that name/

/** The problems that a refusal lists, one in each line between its first and its last. */
const listed = (answer: Answer): readonly string[] =>
  LISTED_PROBLEMS.test(message(answer)) ? message(answer).split('\n').slice(1, -1) : []

/** Ours refuses a configuration for what the recorded worker finds only when tasks run, or never; all else is found by both. */
const isFoundByUsOnly = ({ expected, ours }: Difference): boolean => {
  const theirs = listed(expected)
  const own = listed(ours).filter((line) => !theirs.includes(line))
  return (
    ours.status === 400 &&
    (expected.status < 300 || theirs.length > 0 || expected.status === 500) &&
    own.length > 0 &&
    own.every((line) => /topic\.creation\.|predicate of that alias|config provider/.test(line)) &&
    theirs.every((line) => listed(ours).includes(line))
  )
}

const words = (text: string): readonly string[] =>
  text.split(/[\s{},]+/).filter((word) => word !== '')

/** Whether `text` has the words of `ours`, in any order, since Java prints a map as it likes, but for those that are a `${…}`. */
function isResolved(ours: string, text: string): boolean {
  const theirs = words(text)
  const own = words(ours.replaceAll(/\$\{[^}]*\}/g, '$'))
  return (
    ours.includes('${') &&
    own.length === theirs.length &&
    own.every((word) => word.includes('$') || theirs.includes(word))
  )
}

/** Whether ours finds the same problems in these keys, with the references where the recorded worker shows their values. */
function hasSameProblems({ expected, ours }: Difference, keys: readonly string[]): boolean {
  const [mine = [], theirs = []] = [problems(ours), problems(expected)].map((list) =>
    list?.filter(({ error, key }) => keys.includes(key) && !UNFOUND.test(error)),
  )
  return (
    mine.length === theirs.length &&
    theirs.every(({ key, error }) =>
      mine.some((own) => own.key === key && (own.error === error || isResolved(own.error, error))),
    )
  )
}

/** An error as all of ours are: JSON with the status as its code, and words. */
function isPlainError(answer: Answer): boolean {
  try {
    const json = JSON.parse(answer.body) as { readonly error_code?: unknown }
    return json.error_code === answer.status && message(answer).length > 10
  } catch {
    return false // No JSON.
  }
}

/** The configuration that a request brings, empty when it brings none. */
function requestedConfig({ requestBody = '' }: Exchange): Readonly<Record<string, unknown>> {
  if (!requestBody.startsWith('{')) return {}
  try {
    const json = JSON.parse(requestBody) as Readonly<Record<string, unknown>>
    const { config } = json
    return typeof config === 'object' && config !== null
      ? (config as Readonly<Record<string, unknown>>)
      : json
  } catch {
    return {} // No JSON, which is what the request is about.
  }
}

/** The answer to a request for a connector's topics that there are none, which is also that for a connector that is not there. */
const hasNoTopics = ({ answer, path }: Exchange, ours: Answer): boolean =>
  /^\/connectors\/[^/]+\/topics\/?$/.test(path) &&
  isEqual({ ...answer, body: answer.body.replace(/\[.*\]/s, '[]') }, ours)

export const DEVIATIONS: readonly Deviation[] = [
  {
    reason: 'Jetty’s own errors are HTML; ours are JSON like all others, with the same status.',
    isJvmBug: true,
    matches: ({ expected, ours }) =>
      isHtml(expected) && expected.status === ours.status && isPlainError(ours),
  },
  {
    reason: 'Names with a slash, backslash or percent sign can be read and deleted, not only made.',
    isJvmBug: true,
    matches: ({ exchange, expected, ours }) =>
      UNREACHABLE.test(exchange.path) &&
      expected.status === 400 &&
      (ours.status < 300 || ours.status === 404),
  },
  {
    reason:
      'What the JVM worker cannot delete (such names, tasks that never were) is not there to be listed.',
    isJvmBug: true,
    matches: ({ expected, ours }) => {
      const stripped = withoutPhantoms(expected)
      return stripped !== undefined && isEqual(stripped, ours)
    },
  },
  {
    reason:
      'Location is a URL that leads to the connector: the JVM worker leaves %, / and ; as they are.',
    isJvmBug: true,
    matches: ({ expected, ours }) => {
      const [theirs = '', mine = ''] = [expected.headers['location'], ours.headers['location']]
      const name = /\/connectors\/(.*)$/s.exec(theirs)?.[1] ?? ''
      return (
        /[%/;]/.test(name) &&
        mine.endsWith(`/connectors/${encodeURIComponent(name)}`) &&
        isEqual({ ...expected, headers: { ...expected.headers, location: mine } }, ours)
      )
    },
  },
  {
    reason: 'Node’s HTTP parser refuses unknown methods with 400.',
    isJvmBug: false,
    matches: ({ expected, ours }) =>
      expected.status === 405 && ours.status === 400 && ours.body === '',
  },
  {
    reason:
      'A client’s mistake is a 400 or 404 that says so, not the text of a NullPointerException.',
    isJvmBug: true,
    matches: ({ expected, ours }) =>
      expected.status === 500 && NULL_POINTER.test(message(expected)) && isRefusal(ours),
  },
  {
    reason:
      'Same status, but words about the request instead of a Jackson parser’s, with its Java classes and settings.',
    isJvmBug: true,
    matches: ({ expected, ours }) =>
      expected.status === ours.status &&
      JACKSON.test(message(expected)) &&
      isPlainError(ours) &&
      !/REDACTED|\bjava\.|org\.apache\./.test(message(ours)),
  },
  {
    reason:
      'Standalone: a request for an unknown connector is a 404, not the text of an internal check.',
    isJvmBug: true,
    matches: ({ expected, ours }) =>
      expected.status === 500 &&
      /^No connector `|not a recognizable type/.test(message(expected)) &&
      ours.status === 404,
  },
  {
    reason:
      'validate answers a client’s mistake with 400 or as a problem of the key, as POST does, not with 500.',
    isJvmBug: true,
    matches: ({ expected, ours }) =>
      expected.status === 500 &&
      WRAPPED.test(message(expected)) &&
      (ours.status === 400 || (problems(ours)?.length ?? 0) > 0),
  },
  {
    reason:
      'A bad client override or a config provider that fails is a 400 that names the key, not a 500.',
    isJvmBug: true,
    matches: ({ exchange, expected, ours }) =>
      expected.status === 500 &&
      ours.status === 400 &&
      /\.override\.|\$\{/.test(exchange.requestBody ?? '') &&
      /^Invalid value|^Could not read/.test(message(expected)),
  },
  {
    reason: 'A class that is no plugin is unknown: 404, not 500 "Instantiation error".',
    isJvmBug: true,
    matches: ({ expected, ours }) =>
      message(expected).endsWith('Instantiation error') && isRefusal(ours),
  },
  {
    reason: 'The exception’s class is in front of the text for an unknown connector class, always.',
    isJvmBug: true,
    matches: ({ expected, ours }) =>
      expected.status === 400 &&
      ours.status === 400 &&
      message(expected).startsWith('Failed to find any class') &&
      message(ours).startsWith('org.apache.kafka.connect.errors.ConnectException: Failed to find'),
  },
  {
    reason: 'An empty ?version= asks for no version.',
    isJvmBug: true,
    matches: ({ exchange, expected, ours }) =>
      /[?&]version=(&|$)/.test(exchange.path) &&
      message(expected).includes('range [,]') &&
      ours.status === 200,
  },
  {
    reason:
      'validate finds what the JVM worker finds when tasks start, or never: topic.creation.*, predicates, references to config providers.',
    isJvmBug: true,
    matches: (difference) => {
      const { them, us } = foundBy(difference)
      const own = new Set(us.map(({ key }) => key))
      return (
        us.length > 0 &&
        them.length === 0 &&
        us.every(({ error, key }) => UNFOUND.test(key) || UNFOUND.test(error)) &&
        differsOnlyIn(difference, (key) => own.has(key))
      )
    },
  },
  {
    reason: 'The same, found when a connector is made: it is refused.',
    isJvmBug: true,
    matches: isFoundByUsOnly,
  },
  {
    reason: 'A connector that was refused for that is not there.',
    isJvmBug: true,
    matches: ({ exchange, expected, ours, history }) =>
      history.isRefused(requestName(exchange.path)) &&
      expected.status < 300 &&
      (ours.status === 404 || hasNoTopics(exchange, ours)),
  },
  {
    reason: 'What a config provider gave is not shown in errors and validate: it may be a secret.',
    isJvmBug: true,
    matches: (difference) => {
      const { exchange, expected, ours } = difference
      const references = Object.entries(requestedConfig(exchange)).flatMap(([key, value]) =>
        String(value).includes('${') ? [key] : [],
      )
      if (references.length === 0 || expected.status !== ours.status) return false
      return problems(expected) === undefined
        ? isResolved(message(ours), message(expected))
        : hasSameProblems(difference, references) &&
            differsOnlyIn(difference, (key) => references.includes(key))
    },
  },
  {
    reason:
      'Java’s words for what is wrong with a value (java.util.regex, enum constants, NullPointerExceptions).',
    isJvmBug: false,
    matches: (difference) => {
      const { them, us } = foundBy(difference)
      const keys = new Set(them.map(({ key }) => key))
      // In each key that differs the recorded words are Java's, and ours finds fault with it as well.
      return (
        them.length > 0 &&
        them.every(({ error }) => /Invalid regex: |java\.lang\.|NullPointer/.test(error)) &&
        us.every(({ key }) => keys.has(key)) &&
        [...keys].every((each) => problems(difference.ours)?.some(({ key }) => key === each)) &&
        differsOnlyIn(difference, (key) => keys.has(key))
      )
    },
  },
  {
    reason: 'There are no Java classes here besides the plugins’: such a class could not be found.',
    isJvmBug: false,
    matches: (difference) => {
      const { exchange, ours } = difference
      if (!JAVA_CLASS.test(exchange.requestBody ?? '')) return false
      const keys = problems(ours)?.filter(({ error }) => JAVA_CLASS.test(error)) ?? []
      const names = keys.flatMap(({ key }) => [key, `${key}.plugin.version`])
      return names.length > 0 && differsOnlyIn(difference, (key) => names.includes(key))
    },
  },
  {
    reason: 'Settings of Kafka clients are listed without definitions: another client reads them.',
    isJvmBug: false,
    matches: (difference) =>
      (difference.exchange.requestBody ?? '').includes('.override.') &&
      differsOnlyIn(difference, (key) => /^(producer|consumer|admin)\.override\./.test(key)),
  },
  {
    reason: 'PATCH refuses another name, as PUT does, instead of storing it.',
    isJvmBug: true,
    matches: ({ exchange, expected, ours }) =>
      exchange.method === 'PATCH' &&
      expected.status === 200 &&
      ours.status === 400 &&
      message(ours).includes("doesn't match connector name in the URL"),
  },
  {
    reason: 'A connector’s stored name is its own.',
    isJvmBug: true,
    matches: ({ exchange, expected, ours }) => {
      const name = requestName(exchange.path)
      const renamed = expected.body.replace(/"name":"[^"]*"/, `"name":${JSON.stringify(name)}`)
      return (
        exchange.method === 'GET' && name !== '' && isEqual({ ...expected, body: renamed }, ours)
      )
    },
  },
  {
    reason: 'A connector’s topics are forgotten with it.',
    isJvmBug: true,
    matches: ({ exchange, expected, ours, history }) =>
      history.wasDeleted(requestName(exchange.path)) &&
      expected.status === 200 &&
      hasNoTopics(exchange, ours),
  },
  {
    reason: 'A task that never was cannot be restarted.',
    isJvmBug: true,
    matches: ({ exchange, expected, ours }) => {
      const stripped = withoutPhantoms(expected)
      return (
        /\/restart/.test(exchange.path) &&
        (stripped === undefined
          ? expected.status < 300 && ours.status === 404
          : isEqual(stripped, ours))
      )
    },
  },
  {
    reason: 'An integer that a number cannot hold is refused, not changed to another one.',
    isJvmBug: false,
    matches: ({ exchange, expected, ours, history }) =>
      /\/offsets\/?$/.test(exchange.path) &&
      (exchange.method === 'GET'
        ? history.isUnaltered(requestName(exchange.path)) &&
          LONG_INTEGER.test(expected.body) &&
          ours.status === 200
        : LONG_INTEGER.test(exchange.requestBody ?? '') &&
          expected.status === 200 &&
          ours.status === 400),
  },
  {
    reason: 'A reset of a sink commits the log’s beginning, where Kafka deletes the offset.',
    isJvmBug: false,
    matches: ({ exchange, expected, ours }) =>
      exchange.method === 'GET' &&
      /\/offsets\/?$/.test(exchange.path) &&
      expected.body === '{"offsets":[]}' &&
      /^\{"offsets":\[(\{"partition":[^}]*\},"offset":\{"kafka_offset":0\}\},?)+\]\}$/.test(
        ours.body,
      ),
  },
  {
    reason: 'Basic authentication answers as HTTP wants it: with a challenge and a JSON error.',
    isJvmBug: true,
    matches: ({ expected, ours }) =>
      expected.status === 401 &&
      ours.status === 401 &&
      ours.headers['www-authenticate'] !== undefined &&
      message(ours) === expected.body,
  },
]

/** The entry that explains a difference. */
export const deviation = (difference: Difference): Deviation | undefined =>
  DEVIATIONS.find(({ matches }) => matches(difference))
