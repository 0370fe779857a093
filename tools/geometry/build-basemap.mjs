// Builds the offline basemap below ui/public/basemap from downloaded files; run by hand when they change.
//
//   node tools/geometry/build-basemap.mjs --out ui/public/basemap \
//     --land map.geo.json            land polygons of OpenStreetMap (npm: @geo-maps/earth-lands-10m)
//     --counties counties-10m.json   TopoJSON (npm: us-atlas)
//     --subway gtfs_subway.zip       static GTFS; FILE.zip#FOLDER for an archive with several feeds
//     --bus m=gtfs_m.zip --bus bx=gtfs_bx.zip …   the same, each with the name of its borough
//
// Whatever is not given is not built anew.
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { countyPolygons } from './counties.mjs'
import { openGtfs } from './gtfs-tables.mjs'
import { clipToBox } from './land.mjs'
import { groupBy } from './patterns.mjs'
import { simplify } from './polyline.mjs'

/** West, south, east, north. */
const BOX = [-74.32, 40.46, -73.62, 40.98]
const BOROUGHS = {
  36061: 'Manhattan',
  36047: 'Brooklyn',
  36005: 'Bronx',
  36085: 'Staten Island',
  36081: 'Queens',
}
const SUBWAY = { tolerance: 5, shapesPerRoute: 4 }
const BUS = { tolerance: 10, shapesPerRoute: 2 }
const COLOR_DEFAULT = '808183'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    land: { type: 'string' },
    counties: { type: 'string' },
    subway: { type: 'string' },
    bus: { type: 'string', multiple: true },
  },
})
if (values.out === undefined) {
  process.stderr.write('build-basemap: --out FOLDER is needed\n')
  process.exit(2)
}
fs.mkdirSync(values.out, { recursive: true })

if (values.land !== undefined) {
  const polygons = clipToBox(readJson(values.land), BOX)
  write('land', { type: 'MultiPolygon', coordinates: polygons })
}
if (values.counties !== undefined) {
  const polygons = countyPolygons(readJson(values.counties), new Set(Object.keys(BOROUGHS)))
  write(
    'boroughs',
    collection([...polygons].map(([id, geometry]) => feature({ name: BOROUGHS[id] }, geometry))),
  )
}
if (values.subway !== undefined) {
  const gtfs = openFeed(values.subway)
  write('subway-lines', collection(routeLines(gtfs, SUBWAY)))
  const stations = gtfs.table('stops').filter((stop) => stop.location_type === '1')
  write(
    'stations',
    collection(
      stations.map((stop) =>
        feature(
          { id: stop.stop_id, name: stop.stop_name },
          { type: 'Point', coordinates: [round5(stop.stop_lon), round5(stop.stop_lat)] },
        ),
      ),
    ),
  )
}
if (values.bus !== undefined) {
  const lines = values.bus.flatMap((pair) => {
    const [borough, file] = pair.split('=')
    return routeLines(openFeed(file), BUS).map((one) => ({
      ...one,
      properties: { ...one.properties, borough: `bus_${borough}` },
    }))
  })
  write('bus-lines', collection(lines))
}

/** One feature per route: its most used shapes. */
function routeLines(gtfs, { tolerance, shapesPerRoute }) {
  const routes = new Map(gtfs.table('routes').map((route) => [route.route_id, route]))
  const points = groupBy(gtfs.table('shapes'), (row) => row.shape_id)
  const trips = gtfs.table('trips').filter((trip) => points.has(trip.shape_id))
  return [...groupBy(trips, (trip) => trip.route_id)].flatMap(([id, ofRoute]) => {
    const route = routes.get(id)
    if (route === undefined) return []
    const shapes = [...groupBy(ofRoute, (trip) => trip.shape_id)]
      .sort(([, a], [, b]) => b.length - a.length)
      .slice(0, shapesPerRoute)
    const coordinates = shapes.map(([shape]) => line(points.get(shape), tolerance))
    const color = `#${route.route_color || COLOR_DEFAULT}`
    return [
      feature(
        { route: id, name: route.route_short_name, color },
        { type: 'MultiLineString', coordinates: coordinates.filter((one) => one.length > 1) },
      ),
    ]
  })
}

function line(points, tolerance) {
  const ordered = points.sort((a, b) => a.shape_pt_sequence - b.shape_pt_sequence)
  const places = ordered.map((p) => [Number(p.shape_pt_lat), Number(p.shape_pt_lon)])
  return simplify(places, tolerance).map(([lat, lon]) => [round5(lon), round5(lat)])
}

function openFeed(text) {
  const [file, folder = ''] = text.split('#')
  return openGtfs(file, folder)
}

function feature(properties, geometry) {
  return { type: 'Feature', properties, geometry }
}

function collection(features) {
  return { type: 'FeatureCollection', features }
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}

function write(name, value) {
  const file = path.join(values.out, `${name}.json`)
  const text = JSON.stringify(value)
  fs.writeFileSync(file, text)
  process.stdout.write(`${file}: ${text.length} bytes\n`)
}

function round5(degrees) {
  return Math.round(Number(degrees) * 1e5) / 1e5
}
