// From trips and stop times to patterns: who runs which stops in which order, how far apart they lie along
// the track, and how long a train takes from one to the next.
import { createHash } from 'node:crypto'
import { cumulative, project } from './polyline.mjs'

/** As `Map.groupBy`, which Node 20 does not have. */
export function groupBy(items, key) {
  const groups = new Map()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}

/**
 * The patterns of a feed by id. Without `perDirection` there is one for each shape, named by it: its most
 * used stop sequence. With it there are the most used sequences of each route and direction.
 */
export function buildPatterns({ trips, stopTimes, stops, lines, perDirection }) {
  const places = new Map(stops.map((s) => [s.stop_id, [Number(s.stop_lat), Number(s.stop_lon)]]))
  const timesByTrip = groupBy(stopTimes, (row) => row.trip_id)
  const runs = []
  for (const trip of trips) {
    const calls = timesByTrip.get(trip.trip_id)
    if (calls === undefined || calls.length < 2) continue
    const run = toRun(trip, calls)
    if (!lines.has(run.shape) && !drawLine(run, places, lines)) continue
    runs.push(run)
  }
  const sameStops = groupBy(runs, (run) => `${run.route}|${run.dir}|${run.shape}|${run.key}`)
  const sequences = [...sameStops.values()].sort((a, b) => b.length - a.length)
  const patterns = {}
  const taken = new Map()
  for (const group of sequences) {
    const [{ route, dir, shape }] = group
    const bucket = perDirection > 0 ? `${route}|${dir}` : shape
    const used = taken.get(bucket) ?? 0
    if (perDirection === 0 && used > 0) {
      if (patterns[shape].route === route) patterns[shape].trips += group.length
      continue
    }
    if (perDirection > 0 && used >= perDirection) continue
    taken.set(bucket, used + 1)
    const id = perDirection > 0 ? `${route}.${dir}.${used + 1}` : shape
    patterns[id] = toPattern(group, places, lines.get(shape))
  }
  return patterns
}

/** Not all agencies publish shapes: without one the line goes from stop to stop, and is named by them. */
function drawLine(run, places, lines) {
  const points = run.stops.map((id) => places.get(id))
  if (points.some((point) => point === undefined || point.some((n) => !Number.isFinite(n))))
    return false
  const digest = createHash('sha256').update(run.key).digest('hex').slice(0, 12)
  run.shape = `${run.route}.${run.dir}.${digest}`
  if (!lines.has(run.shape)) lines.set(run.shape, points)
  return true
}

function toRun(trip, calls) {
  const ordered = calls.sort((a, b) => Number(a.stop_sequence) - Number(b.stop_sequence))
  const times = ordered.map((call) => ({
    arrival: seconds(call.arrival_time || call.departure_time),
    departure: seconds(call.departure_time || call.arrival_time),
  }))
  return {
    route: trip.route_id,
    dir: Number(trip.direction_id ?? 0),
    shape: trip.shape_id,
    stops: ordered.map((call) => call.stop_id),
    key: ordered.map((call) => call.stop_id).join(),
    run: times.map(({ arrival }, i) => (i === 0 ? null : arrival - times[i - 1].departure)),
  }
}

function toPattern(group, places, line) {
  const [first] = group
  const along = cumulative(line)
  return {
    route: first.route,
    dir: first.dir,
    stops: first.stops,
    dist: stopDistances(
      first.stops.map((id) => places.get(id)),
      line,
      along,
    ).map(Math.round),
    run: first.run.map((_, i) => (i === 0 ? null : median(group.map((run) => run.run[i])))),
    len: Math.round(along.at(-1)),
    trips: group.length,
    shape: first.shape,
  }
}

/**
 * Metres along the line for each stop, never going back. Of the places where a stop could lie, the one
 * that makes the sum of all offsets smallest: a line that comes by twice would fool a greedy choice.
 */
function stopDistances(points, line, along) {
  const segments = line.length - 1
  let best = new Float64Array(segments)
  const choices = []
  for (const [i, point] of points.entries()) {
    const next = new Float64Array(segments)
    const from = new Int32Array(segments)
    let cheapest = 0
    for (let s = 0; s < segments; s++) {
      if (i > 0 && best[s] < best[cheapest]) cheapest = s
      const base = i === 0 ? 0 : best[cheapest]
      from[s] = cheapest
      next[s] = base + project(point, line[s], line[s + 1]).off ** 2
    }
    choices.push(from)
    best = next
  }
  const out = []
  let s = best.indexOf(Math.min(...best))
  for (let i = points.length - 1; i >= 0; i--) {
    const { share } = project(points[i], line[s], line[s + 1])
    out[i] = along[s] + share * (along[s + 1] - along[s])
    s = choices[i][s]
  }
  for (let i = 1; i < out.length; i++) out[i] = Math.max(out[i], out[i - 1])
  return out
}

function median(values) {
  // Between timepoints there may be no times.
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}

/** "25:10:00" is ten past one on the next day. */
function seconds(text) {
  if (!/^\s*\d+:\d\d:\d\d\s*$/.test(text ?? '')) return Number.NaN
  const [h, m, s] = text.split(':').map(Number)
  return h * 3600 + m * 60 + s
}
