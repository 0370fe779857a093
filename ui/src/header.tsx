import { useEffect, useState } from 'preact/hooks'
import { age } from './format.ts'
import { connection, connectors, feedsMode, lastReportMs } from './live.ts'
import { formatRoute } from './route-text.ts'
import { lastMap, route } from './route.ts'
import { problemCount } from './status/summary.ts'

const MODES: Readonly<Record<string, string>> = {
  live: 'Live',
  simulated: 'Simulated',
  replay: 'Replay',
}
const CONNECTION = {
  connecting: 'connecting…',
  open: 'connected',
  lost: 'no connection, trying again…',
} as const
/** After this the vehicles on the map are not to be believed. */
const OLD_S = 90

export function Header() {
  const isMap = route.value.page === 'map'
  const problems = problemCount(connectors.value)
  return (
    <header class="header">
      <h1>mta-connect</h1>
      {feedsMode.value !== '' && (
        <span class={`badge mode-${feedsMode.value}`} title="Where the vehicles come from">
          {MODES[feedsMode.value] ?? feedsMode.value}
        </span>
      )}
      <nav aria-label="Pages">
        <a href={formatRoute(lastMap.value)} aria-current={isMap ? 'page' : undefined}>
          Map
        </a>
        <a
          href={formatRoute({ page: 'connectors' })}
          aria-current={isMap ? undefined : 'page'}
          aria-label={problems > 0 ? `Connectors, ${problems} with problems` : undefined}
        >
          Connectors
          {problems > 0 && <span class="count-bad">{problems}</span>}
        </a>
      </nav>
      <span class="connection">
        <FeedAge />
        <span class={`dot ${connection.value}`} />
        <span role="status" class={connection.value}>
          {CONNECTION[connection.value]}
        </span>
      </span>
    </header>
  )
}

function FeedAge() {
  const [nowMs, setNowMs] = useState(performance.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(performance.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  if (lastReportMs.value === 0) return <span class="feed-age">no reports yet</span>
  const seconds = Math.max(0, (nowMs - lastReportMs.value) / 1000)
  return (
    <span class={`feed-age ${seconds > OLD_S ? 'warn' : ''}`} data-testid="feed-age">
      last report {age(seconds)} ago
    </span>
  )
}
