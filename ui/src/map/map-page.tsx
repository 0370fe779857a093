import { useEffect, useRef } from 'preact/hooks'
import { route } from '../route.ts'
import { toast } from '../toast.tsx'
import { fleet } from './fleet.ts'
import { geometry, loadGeometry } from './geometry-loader.ts'
import { MapPanel } from './map-panel.tsx'
import { showScene } from './map-scene.ts'
import { selected } from './map-state.ts'
import { VehicleCard } from './vehicle-card.tsx'
import { nameOf } from './vehicle-text.ts'

export function MapPage() {
  const stage = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const stop = new AbortController()
    start(stage.current, stop.signal).catch((error: unknown) =>
      toast(`The map cannot be shown: ${error instanceof Error ? error.message : String(error)}`),
    )
    return () => stop.abort()
  }, [])
  if (route.value.page !== 'map') return null
  const known = geometry.value
  const key = selected.value
  const vehicle = key === undefined ? undefined : fleet.vehicle(key)
  return (
    <div class="map-page">
      <div class="map-stage" ref={stage} />
      {known !== undefined && <MapPanel geometry={known} />}
      <p class="visually-hidden" role="status">
        {vehicle === undefined ? '' : `${nameOf(vehicle, known)} selected`}
      </p>
      {known !== undefined && key !== undefined && (
        <VehicleCard vehicleKey={key} geometry={known} />
      )}
    </div>
  )
}

async function start(stage: HTMLDivElement | null, stop: AbortSignal): Promise<void> {
  const loaded = await loadGeometry()
  if (stage !== null && !stop.aborted) await showScene(stage, loaded, stop)
}
