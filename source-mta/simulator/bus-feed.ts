import type { BusFleet, BusReport } from './bus-fleet.ts'
import {
  CROWDING,
  ENTITY,
  FULL_DATASET,
  HEADER,
  MESSAGE,
  POSITION,
  TRIP,
  VEHICLE,
  VEHICLE_DESCRIPTOR,
} from './gtfs-realtime-fields.ts'
import { ProtobufWriter } from './protobuf-writer.ts'

/** OccupancyStatus by how full a bus is: EMPTY, MANY_SEATS, FEW_SEATS, STANDING_ROOM, CRUSHED. */
const OCCUPANCY_STEPS = [0.02, 0.35, 0.6, 0.85, Number.POSITIVE_INFINITY]

/**
 * The bus vehicle positions' body at `time`, Unix seconds. Its header's timestamp is the newest report's,
 * as Bus Time has it.
 */
export function encodeBusFeed(fleet: BusFleet, time: number): Uint8Array {
  const reports = fleet.reportsAt(time)
  const newest = reports.reduce((max, report) => Math.max(max, report.reportedAt), 0)
  const out = new ProtobufWriter()
  out.message(MESSAGE.header, (header) => {
    header.string(HEADER.version, '1.0')
    header.varint(HEADER.incrementality, FULL_DATASET)
    header.varint(HEADER.timestamp, newest === 0 ? time : newest)
  })
  for (const report of reports) {
    out.message(MESSAGE.entity, (entity) => {
      entity.string(ENTITY.id, report.vehicleId)
      entity.message(ENTITY.vehicle, (w) => writeVehicle(w, report))
    })
  }
  return out.finish()
}

function writeVehicle(out: ProtobufWriter, report: BusReport): void {
  out.message(VEHICLE.trip, (trip) => {
    trip.string(TRIP.id, report.tripId).string(TRIP.startDate, report.startDate)
    trip.string(TRIP.route, report.route).varint(TRIP.direction, report.direction)
  })
  out.message(VEHICLE.position, (position) => {
    position.float(POSITION.latitude, report.latitude)
    position.float(POSITION.longitude, report.longitude)
    position.float(POSITION.bearing, report.bearing)
  })
  out.varint(VEHICLE.timestamp, report.reportedAt).string(VEHICLE.stopId, report.stopId)
  out.message(VEHICLE.descriptor, (w) => w.string(VEHICLE_DESCRIPTOR.id, report.vehicleId))
  const load = report.passengers / report.capacity
  out.varint(
    VEHICLE.occupancy,
    OCCUPANCY_STEPS.findIndex((limit) => load < limit),
  )
  out.message(VEHICLE.crowding, (w) =>
    w.varint(CROWDING.count, report.passengers).varint(CROWDING.capacity, report.capacity),
  )
}
