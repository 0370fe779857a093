// Polygons cut to a box.

/** Square degrees: islands and lakes below 0.2 km² are specks at the source's precision. */
const RING_AREA_MIN = 0.2e-4

/**
 * All polygons of a GeoJSON object inside the box [west, south, east, north], as MultiPolygon coordinates
 * with five decimals. Rings are cut one edge of the box after the other (Sutherland–Hodgman).
 */
export function clipToBox(geojson, [west, south, east, north]) {
  const edges = [
    { axis: 0, at: west, keeps: (value) => value >= west },
    { axis: 0, at: east, keeps: (value) => value <= east },
    { axis: 1, at: south, keeps: (value) => value >= south },
    { axis: 1, at: north, keeps: (value) => value <= north },
  ]
  const out = []
  for (const rings of polygonsOf(geojson)) {
    const cut = rings
      .map((ring) => edges.reduce(cutAtEdge, ring.slice(0, -1)))
      .filter((ring) => Math.abs(area(ring)) >= RING_AREA_MIN)
      .map((ring) => [...ring, ring[0]].map((point) => point.map(round5)))
    if (cut.length > 0) out.push(cut)
  }
  return out
}

function* polygonsOf(value) {
  if (value.type === 'FeatureCollection') for (const one of value.features) yield* polygonsOf(one)
  else if (value.type === 'GeometryCollection')
    for (const one of value.geometries) yield* polygonsOf(one)
  else if (value.type === 'Feature') yield* polygonsOf(value.geometry)
  else if (value.type === 'MultiPolygon') yield* value.coordinates
  else if (value.type === 'Polygon') yield value.coordinates
}

function cutAtEdge(ring, { axis, at, keeps }) {
  const out = []
  for (const [i, here] of ring.entries()) {
    const next = ring[(i + 1) % ring.length]
    if (keeps(here[axis])) out.push(here)
    if (keeps(here[axis]) === keeps(next[axis])) continue
    const share = (at - here[axis]) / (next[axis] - here[axis])
    const other = here[1 - axis] + share * (next[1 - axis] - here[1 - axis])
    out.push(axis === 0 ? [at, other] : [other, at])
  }
  return out
}

/** By the shoelace formula; the sign tells the direction. */
function area(ring) {
  return ring.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = ring[(i + 1) % ring.length]
    return sum + (x * nextY - nextX * y) / 2
  }, 0)
}

function round5(degrees) {
  return Math.round(degrees * 1e5) / 1e5
}
