import { lazy, Suspense } from 'preact/compat'
import { render } from 'preact'
import { connectLive } from './live.ts'
// Before the connection opens: its first message has all vehicles in it.
import './map/fleet.ts'
import { route } from './route.ts'
import { Header } from './header.tsx'
import { Toasts } from './toast.tsx'
import './page.css'
import './map.css'
import './status.css'

// MapLibre is most of the page's weight: who only looks at connectors never loads it.
const MapPage = lazy(() =>
  import('./map/map-page.tsx').then((module) => ({ default: module.MapPage })),
)
const StatusPage = lazy(() =>
  import('./status/status-page.tsx').then((module) => ({ default: module.StatusPage })),
)

function App() {
  return (
    <>
      <Header />
      <main>
        <Suspense fallback={<p class="loading">Loading…</p>}>
          {route.value.page === 'map' ? <MapPage /> : <StatusPage />}
        </Suspense>
      </main>
      <Toasts />
    </>
  )
}

connectLive(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ui/live`)
const root = document.querySelector('#app')
if (root !== null) render(<App />, root)
