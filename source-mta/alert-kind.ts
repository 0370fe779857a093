// How alerts are read.
import { type ServiceAlert, decodeAlert } from './decode-alert.ts'
import { type AlertEvent, plainText } from './alert-record.ts'
import {
  type BodyTally,
  type Candidate,
  type Change,
  type KindReader,
  NOBODY,
} from './entity-kind.ts'
import { MODELS } from './message-models.ts'
import type { Profile } from './profiles.ts'
import type { QualityCode } from './quality.ts'
import { type ScannedEntity, peekAlertHeader } from './scan.ts'
import { unmodelledFields } from './unmodelled.ts'

export interface AlertKindOptions {
  readonly feedId: string
  readonly profile: Profile
  readonly tally: BodyTally
}

/** Reads the alerts of one body. */
export class AlertKind implements KindReader<ServiceAlert, AlertEvent> {
  readonly kind = 'alert'
  readonly keepsDecoded = false
  readonly #options: AlertKindOptions

  constructor(options: AlertKindOptions) {
    this.#options = options
  }

  payloadOf(entity: ScannedEntity): Uint8Array | undefined {
    return entity.alert
  }

  identify(entity: ScannedEntity, payload: Uint8Array) {
    const alert = { entityId: entity.id, headerText: peekAlertHeader(payload) }
    const key = this.#options.profile.alertKey(alert)
    return { key, timestamp: undefined, identity: NOBODY }
  }

  decode(payload: Uint8Array): ServiceAlert {
    return decodeAlert(payload)
  }

  prepare(): void {}

  event(
    { key, entity, payload }: Candidate,
    { eventType, contentHash, decoded: alert, flags }: Change<ServiceAlert>,
  ): AlertEvent | QualityCode {
    const { feedId, profile, tally } = this.#options
    const hasText = (plainText(alert.headerText) ?? '') !== ''
    if (!hasText || alert.informedEntities.length === 0) return 'REQ_MISSING'
    for (const flag of flags) tally.count(flag)
    const { alert: model } = profile.isSubway ? MODELS.nyct : MODELS.plain
    const agency = alert.informedEntities.find(({ agencyId }) => agencyId !== undefined)?.agencyId
    return {
      kind: 'alert',
      entityId: entity.id,
      recordKey: `${feedId}|${key}`,
      eventType,
      contentHash,
      agencyId: agency ?? profile.agencyId(undefined),
      flags,
      unknownFields: unmodelledFields(payload, model),
      alert,
      isSubway: profile.isSubway,
    }
  }
}
