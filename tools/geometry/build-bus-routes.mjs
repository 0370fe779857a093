// Packs the basemap's bus lines into the file that the simulator's buses drive along: per route the depot's
// borough and two encoded polylines, out and back. Where the second line does not lead back from the end of
// the first (the basemap has the two most used shapes, which may run the same way), the first is turned round.
//
//   node tools/geometry/build-bus-routes.mjs ui/public/basemap/bus-lines.json source-mta/simulator/bus-routes.json
import fs from 'node:fs'
import { encodePolyline, metres } from './polyline.mjs'

const GAP_MAX_M = 300

const [input, output] = process.argv.slice(2)
if (input === undefined || output === undefined) {
  process.stderr.write('build-bus-routes: give the GeoJSON file and the file to write\n')
  process.exit(2)
}
const { features } = JSON.parse(fs.readFileSync(input, 'utf8'))
const routes = features.map(({ properties, geometry }) => ({
  id: properties.route,
  depot: properties.borough.replace('bus_', ''),
  lines: outAndBack(geometry.coordinates.map((line) => line.map(([lon, lat]) => [lat, lon]))).map(
    encodePolyline,
  ),
}))
fs.writeFileSync(output, JSON.stringify({ routes }))
process.stdout.write(`${output}: ${routes.length} routes\n`)

function outAndBack([out, back]) {
  const leadsBack =
    back !== undefined &&
    metres(out.at(-1), back[0]) <= GAP_MAX_M &&
    metres(back.at(-1), out[0]) <= GAP_MAX_M
  return [out, leadsBack ? back : out.toReversed()]
}
