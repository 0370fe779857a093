// What the live connection does not carry: configurations, and the topics that connectors use.
import { effect, signal } from '@preact/signals'
import { connectors } from '../live.ts'
import { type ConnectorInfo, getInfos, getTopics } from '../rest.ts'
import { toastError } from '../toast.tsx'

export const infos = signal<ReadonlyMap<string, ConnectorInfo>>(new Map())
export const topics = signal<ReadonlyMap<string, readonly string[]>>(new Map())

const EVERY_MS = 30_000

/** Reads them now, whenever the set of connectors changes, and every half minute. Returns how to end that. */
export function followDetails(): () => void {
  let known = ''
  const end = effect(() => {
    const names = connectors.value.map(({ name }) => name).join('\n')
    if (names === known) return
    known = names
    refresh()
  })
  const timer = setInterval(refresh, EVERY_MS)
  return () => {
    end()
    clearInterval(timer)
  }
}

const refresh = (): void => void load().catch(toastError)

async function load(): Promise<void> {
  const found = await getInfos()
  infos.value = found
  const used = await Promise.all(
    Array.from(found.keys(), async (name) => {
      // Topic tracking may be switched off: then the configuration has to tell.
      const names = await getTopics(name).catch(() => [])
      return [name, names.length > 0 ? names : topicsOf(found.get(name))] as const
    }),
  )
  topics.value = new Map(used)
}

/** A sink's topics, as it is configured. */
function topicsOf(info: ConnectorInfo | undefined): readonly string[] {
  const list = info?.config['topics'] ?? info?.config['topics.regex'] ?? ''
  return list.split(',').flatMap((topic) => (topic.trim() === '' ? [] : [topic.trim()]))
}
