import type { EntityTopics } from './entity-records.ts'

/** The topics that the connector writes, by what is in them. */
export interface Topics extends EntityTopics {
  readonly feedPoll: string
  /** Raw entities that a quality rule rejects. */
  readonly deadLetters: string
  /** The table of the earlier system keeps its own name, without the prefix. */
  readonly busVehicleActivity: string
  readonly equipmentOutage: string
  readonly equipment: string
}

/** The topics' names for `topic.prefix`. */
export const topicsOf = (
  prefix: string,
  busVehicleActivity: string,
  entities: EntityTopics,
): Topics => ({
  ...entities,
  feedPoll: `${prefix}feed_poll.v1`,
  deadLetters: `${prefix}dlq`,
  busVehicleActivity,
  equipmentOutage: `${prefix}equipment_outage.v1`,
  equipment: `${prefix}equipment.v1`,
})
