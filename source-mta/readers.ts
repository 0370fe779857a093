// Which reader a feed has.
import type { FeedSpec, MtaSourceConfig } from './config.ts'
import { EquipmentReader } from './equipment/equipment-reader.ts'
import type { FeedReader } from './feed-reader.ts'
import { GtfsReader } from './gtfs-reader.ts'
import { Motion } from './motion.ts'
import { PROFILES } from './profiles.ts'
import { Selection } from './selection.ts'
import { SiriReader } from './siri/siri-reader.ts'
import { type SubwayGeometry, geometryFrom, subwayGeometry } from './subway-geometry.ts'
import { SubwayPositions } from './subway-positions.ts'

/** The reader for a feed's format, with nothing remembered. */
export function newReader(feed: FeedSpec, config: MtaSourceConfig): FeedReader {
  const { topics, emitMode, heartbeatMs, box } = config
  const profile = { ...PROFILES[feed.profile], timeZone: feed.timeZone }
  const selection = new Selection(feed.select)
  const common = {
    feedId: feed.id,
    profile,
    timeZone: feed.timeZone,
    entitiesMax: feed.entitiesMax,
    emitMode,
    heartbeatMs,
    box,
    retentionMs: config.stateRetentionMs,
    duplicateWindowMs: config.duplicateWindowMs,
    selection,
  }
  if (feed.format === 'siri-vm-json') {
    return new SiriReader({ ...common, topic: topics.busVehicleActivity })
  }
  if (feed.format === 'ene-outages-json') {
    return new EquipmentReader({ ...common, list: 'outages', topic: topics.equipmentOutage })
  }
  if (feed.format === 'ene-equipment-json') {
    return new EquipmentReader({ ...common, list: 'equipment', topic: topics.equipment })
  }
  const hasPositions = profile.isSubway && config.positionsEnabled
  return new GtfsReader(
    {
      ...common,
      hasLocalTime: feed.hasLocalTime,
      motion: new Motion(profile.speedMaxMps),
      kinds: config.kinds,
      life: config.life,
      positions: hasPositions ? new SubwayPositions(geometryOf(config)) : undefined,
    },
    topics,
  )
}

const geometryOf = ({ geometryFile }: MtaSourceConfig): SubwayGeometry =>
  geometryFile === '' ? subwayGeometry() : geometryFrom(geometryFile)
