import { connection, connectors, feedsMode } from './live.ts'
import { go, NEW_YORK, route } from './route.ts'
import { problemCount } from './status/summary.ts'

const MODES: Readonly<Record<string, string>> = {
  live: 'Live',
  simulated: 'Simulated',
  replay: 'Replay',
}

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
        <button
          type="button"
          aria-current={isMap ? 'page' : undefined}
          onClick={() => go({ page: 'map', view: NEW_YORK, line: undefined, vehicle: undefined })}
        >
          Map
        </button>
        <button
          type="button"
          aria-current={isMap ? undefined : 'page'}
          onClick={() => go({ page: 'connectors' })}
        >
          Connectors
          {problems > 0 && <span class="count-bad">{problems}</span>}
        </button>
      </nav>
      <span class={`connection ${connection.value}`} role="status">
        {connection.value === 'open'
          ? 'connected'
          : connection.value === 'lost'
            ? 'reconnecting…'
            : 'connecting…'}
      </span>
    </header>
  )
}
