// Peculiarities of headers, entity ids, vehicles and alerts, each as a change of an encoded message.
import { chance } from './chance.ts'
import {
  ALERT,
  ENTITY,
  HEADER,
  MERCURY_SELECTOR,
  NYCT_HEADER,
  REPLACEMENT_PERIOD,
  SELECTOR,
  STATUS,
  TIME_RANGE,
  TRIP,
  TRIP_UPDATE,
  VEHICLE,
} from './gtfs-realtime-fields.ts'
import { ProtobufWriter } from './protobuf-writer.ts'
import { chosen, type Quirk, repeatStopExtension } from './quirks-trips.ts'
import { bytesOf, mapField, mapNumber, mapPath, nameOf, textOf, withFields } from './wire-edit.ts'
import { headerTimestamp, wireFields, withEntityId } from './wire-message.ts'

const GPS_AGE_MAX_S = 53_676
const STALLED_MAX_S = 27_868
const VANISHED_S = 60
const REPLACEMENT_S = 1_800

const withHeader =
  (change: (header: Uint8Array, timestamp: number) => Uint8Array): Quirk =>
  ({ header, entities }) => ({ header: change(header, headerTimestamp(header)), entities })

const mapVehicle = (entity: Uint8Array, change: (vehicle: Uint8Array) => Uint8Array): Uint8Array =>
  mapField(entity, ENTITY.vehicle, change)

/** Q8: in the next body each id names another entity. */
export const positionalIds: Quirk = ({ header, entities }) => {
  const ids = entities.map((entity) => textOf(entity, ENTITY.id) ?? '')
  const shift = 1 + (Math.floor(headerTimestamp(header) / 5) % Math.max(ids.length - 1, 1))
  return {
    header,
    entities: entities.map((entity, i) =>
      withEntityId(entity, ids[(i + shift) % ids.length] ?? ''),
    ),
  }
}

/** Q11: the vehicle names the train where the trip update names the trip. */
export const vehicleNamesTrain = chosen('train number', (entity) =>
  mapVehicle(entity, (vehicle) =>
    withFields(vehicle, [VEHICLE.trip], (w) =>
      w.message(VEHICLE.trip, (trip) => trip.string(TRIP.id, textOf(entity, ENTITY.id) ?? '')),
    ),
  ),
)

/** Q12: a vehicle's trip has no route. */
export const vehicleWithoutRoute = chosen('no route', (entity) =>
  mapPath(entity, [ENTITY.vehicle, VEHICLE.trip], (trip) => withFields(trip, [TRIP.route])),
)

/** Q13: GPS fixes of up to fifteen hours ago, half of them of trains that are said to be under way. */
export const oldGps = chosen('old fix', (entity, index) =>
  mapVehicle(entity, (vehicle) => {
    const ageS = Math.round(chance(0, 'age', nameOf(entity)) ** 3 * GPS_AGE_MAX_S) + 91
    const aged = mapNumber(vehicle, VEHICLE.timestamp, (at) => at - ageS)
    if (index % 2 === 1) return aged
    return withFields(aged, [VEHICLE.status], (w) => w.varint(VEHICLE.status, STATUS.inTransitTo))
  }),
)

/** Q17: trains that have not moved for up to eight hours. */
export const stalledTrains = chosen('stalled', (entity) =>
  mapVehicle(entity, (vehicle) => {
    const ageS = Math.round(chance(0, 'stalled for', nameOf(entity)) * (STALLED_MAX_S - 91)) + 91
    return mapNumber(vehicle, VEHICLE.timestamp, (at) => at - ageS)
  }),
)

/** Q18: every train stopped at its last station; trips without a train have neither status nor sequence. */
export const alwaysStopped = chosen('always stopped', (entity, index) =>
  mapVehicle(entity, (vehicle) =>
    index % 4 === 1
      ? withFields(vehicle, [VEHICLE.status, VEHICLE.stopSequence])
      : withFields(vehicle, [VEHICLE.status], (w) => w.varint(VEHICLE.status, STATUS.stoppedAt)),
  ),
)

/** Q21: replacement periods that end at the header's time, or half an hour later. */
export const replacementEnd = (afterS: 0 | typeof REPLACEMENT_S): Quirk =>
  withHeader((header, timestamp) =>
    mapPath(
      header,
      [HEADER.nyct, NYCT_HEADER.replacementPeriod, REPLACEMENT_PERIOD.period],
      (range) =>
        withFields(range, [TIME_RANGE.end], (w) => w.varint(TIME_RANGE.end, timestamp + afterS)),
    ),
  )

/** Q24: each chosen trip is absent for a minute, then back for a while. */
export const tripsVanish: Quirk = ({ header, entities }, share) => {
  const minute = Math.floor(headerTimestamp(header) / VANISHED_S)
  const groups = Math.max(2, Math.round(1 / share))
  return {
    header,
    entities: entities.filter(
      (entity) => Math.floor(chance(0, 'vanish', nameOf(entity)) * groups) !== minute % groups,
    ),
  }
}

/** Q25: nothing but what identifies a vehicle or a trip. */
export const bareEntities = chosen('bare', (entity) => {
  const bare = mapVehicle(entity, (vehicle) =>
    withFields(vehicle, [
      VEHICLE.stopSequence,
      VEHICLE.status,
      VEHICLE.timestamp,
      VEHICLE.stopId,
      VEHICLE.occupancy,
    ]),
  )
  return mapField(bare, ENTITY.tripUpdate, (update) =>
    withFields(update, [TRIP_UPDATE.timestamp, TRIP_UPDATE.delay]),
  )
})

/** Q26: field 1001 of the header as the other system fills it. */
export const foreignHeaderExtension: Quirk = withHeader((header, timestamp) => {
  const own = bytesOf(header, HEADER.nyct)
  const isNyct = own !== undefined && bytesOf(own, NYCT_HEADER.replacementPeriod) !== undefined
  return withFields(header, [HEADER.nyct], (w) =>
    w.message(HEADER.nyct, (extension) => {
      extension.string(NYCT_HEADER.version, '1.0')
      if (isNyct) return
      extension.message(NYCT_HEADER.replacementPeriod, (period) => {
        period.string(REPLACEMENT_PERIOD.route, 'A')
        period.message(REPLACEMENT_PERIOD.period, (range) =>
          range.varint(TIME_RANGE.end, timestamp),
        )
      })
    }),
  )
})

/** Q27: priorities by the numbers of a later version, in which 26 has become 30. */
export const renumberedPriorities = chosen('priority', (entity) =>
  mapPath(entity, [ENTITY.alert, ALERT.informedEntity, SELECTOR.mercury], (selector) => {
    const order = textOf(selector, MERCURY_SELECTOR.sortOrder) ?? ''
    const renamed = order.replace(/\d+$/, (number) => String(Number(number) + 4))
    return withFields(selector, [MERCURY_SELECTOR.sortOrder], (w) =>
      w.string(MERCURY_SELECTOR.sortOrder, renamed),
    )
  }),
)

/** Q28: a version that no specification knows. */
export const headerVersion: Quirk = withHeader((header) =>
  mapField(header, HEADER.version, () => Buffer.from('0.2')),
)

/** Q31: the header's extension once per route, and each stop's railroad extension twice. */
export const repeatedExtensions: Quirk = ({ header, entities }) => {
  const out = new ProtobufWriter()
  for (const field of wireFields(header)) {
    if (field.number !== HEADER.nyct) {
      out.append(field.whole)
      continue
    }
    const inner = wireFields(field.payload)
    const version = inner.find(({ number }) => number === NYCT_HEADER.version)
    const periods = inner.filter(({ number }) => number === NYCT_HEADER.replacementPeriod)
    if (version === undefined || periods.length === 0) out.append(field.whole).append(field.whole)
    else
      for (const period of periods)
        out.message(HEADER.nyct, (w) => w.append(version.whole).append(period.whole))
  }
  return { header: out.finish(), entities: entities.map(repeatStopExtension) }
}
