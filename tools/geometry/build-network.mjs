// Builds the geometry file of one agency from its static GTFS feed: patterns (stop sequences with metres
// along their shape and median run times), shapes, stops and routes.
//
//   node tools/geometry/build-network.mjs --gtfs gtfs_subway.zip --out source-mta/static/subway.json
//   node tools/geometry/build-network.mjs --gtfs gtfslirr.zip --patterns 6 --out source-mta/simulator/lirr.json
//
// --prefix FOLDER    the feed's folder inside the archive
// --patterns N       keep the N most used stop sequences of each route and direction, instead of one per shape
// --tolerance M      how many metres a simplified shape may be off (default 2)
import fs from 'node:fs'
import { parseArgs } from 'node:util'
import { openGtfs } from './gtfs-tables.mjs'
import { buildPatterns, groupBy } from './patterns.mjs'
import { encodePolyline, simplify } from './polyline.mjs'

const { values } = parseArgs({
  options: {
    gtfs: { type: 'string' },
    prefix: { type: 'string', default: '' },
    out: { type: 'string' },
    patterns: { type: 'string', default: '0' },
    tolerance: { type: 'string', default: '2' },
  },
})
if (values.gtfs === undefined || values.out === undefined) {
  process.stderr.write('build-network: --gtfs FILE.zip and --out FILE.json are needed\n')
  process.exit(2)
}

const gtfs = openGtfs(values.gtfs, values.prefix)
for (const name of ['routes', 'stops', 'trips', 'stop_times']) {
  if (gtfs.table(name).length > 0) continue
  process.stderr.write(
    `build-network: ${values.gtfs} has no ${name}; expected a static GTFS feed\n`,
  )
  process.exit(1)
}
const lines = shapeLines(gtfs.table('shapes'))
const stops = gtfs.table('stops')
const patterns = buildPatterns({
  trips: gtfs.table('trips'),
  stopTimes: gtfs.table('stop_times'),
  stops,
  lines,
  perDirection: Number(values.patterns),
})
const usedShapes = new Set(Object.values(patterns).map((pattern) => pattern.shape))
const usedStops = new Set(Object.values(patterns).flatMap((pattern) => pattern.stops))
for (const stop of stops) if (usedStops.has(stop.stop_id)) usedStops.add(stop.parent_station)
const usedRoutes = new Set(Object.values(patterns).map((pattern) => pattern.route))

const network = {
  feed_version: gtfs.table('feed_info')[0]?.feed_version ?? '',
  routes: gtfs
    .table('routes')
    .filter((route) => usedRoutes.has(route.route_id))
    .map((route) => ({
      id: route.route_id,
      short: route.route_short_name ?? '',
      long: route.route_long_name ?? '',
      color: route.route_color ?? '',
      text: route.route_text_color ?? '',
    })),
  stops: stops
    .filter((stop) => usedStops.has(stop.stop_id))
    .map((stop) => [
      stop.stop_id,
      stop.stop_name,
      round6(stop.stop_lat),
      round6(stop.stop_lon),
      stop.parent_station || null,
    ]),
  patterns: Object.fromEntries(
    Object.entries(patterns).map(([id, p]) => [id, withoutOwnShape(id, p)]),
  ),
  shapes: Object.fromEntries(
    [...usedShapes].map((id) => [
      id,
      encodePolyline(simplify(lines.get(id), Number(values.tolerance))),
    ]),
  ),
}
fs.writeFileSync(values.out, JSON.stringify(network))
process.stdout.write(
  `${values.out}: ${Object.keys(patterns).length} patterns, ${usedShapes.size} shapes, ${network.stops.length} stops, ${network.routes.length} routes\n`,
)

/** A pattern that is named by its shape need not say so. */
function withoutOwnShape(id, { shape, ...rest }) {
  return shape === id ? rest : { ...rest, shape }
}

function round6(text) {
  return Math.round(Number(text) * 1e6) / 1e6
}

/** Shape id → its [lat, lon] points in order, repeated points left out. */
function shapeLines(rows) {
  const byShape = groupBy(rows, (row) => row.shape_id)
  const out = new Map()
  for (const [id, points] of byShape) {
    const line = points
      .sort((a, b) => Number(a.shape_pt_sequence) - Number(b.shape_pt_sequence))
      .map((p) => [Number(p.shape_pt_lat), Number(p.shape_pt_lon)])
      .filter((p, i, all) => i === 0 || p[0] !== all[i - 1][0] || p[1] !== all[i - 1][1])
    if (line.length > 1) out.set(id, line)
  }
  return out
}
