// Trips that more than one vehicle says it serves: of a body at most one of them can be right.
import type { Candidate } from './entity-kind.ts'
import type { TripIdentity } from './scan.ts'

/** Names the run of a trip; undefined for none. */
export const runOf = ({ tripId, startDate, startTime }: TripIdentity): string | undefined =>
  tripId === undefined || tripId === ''
    ? undefined
    : `${tripId}|${startDate ?? ''}|${startTime ?? ''}`

/** The runs that several candidates have. */
export function sharedRuns(candidates: Iterable<Candidate>): ReadonlySet<string> {
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const { identity } of candidates) {
    const run = runOf(identity.trip)
    if (run === undefined) continue
    if (seen.has(run)) shared.add(run)
    seen.add(run)
  }
  return shared
}
