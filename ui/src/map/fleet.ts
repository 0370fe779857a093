// The one fleet of the page: fed by the live connection from the start, drawn by the map when it is open.
import { onVehicles } from '../live.ts'
import { FleetStore } from './fleet-store.ts'

export const fleet = new FleetStore()
onVehicles((report, nowMs) => fleet.apply(report, nowMs))
