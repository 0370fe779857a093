// Counties out of a TopoJSON file (https://github.com/topojson/topojson-specification), for labels.

/** County id → GeoJSON Polygon or MultiPolygon, for the ids that are wanted. */
export function countyPolygons(topology, wanted) {
  const arcs = topology.arcs.map((arc) => decodeArc(arc, topology.transform))
  const ring = (indices) => {
    const points = []
    for (const index of indices) {
      // A negative index is the arc ~index, backwards; an arc begins where the one before ended.
      const arc = index < 0 ? arcs[~index].toReversed() : arcs[index]
      points.push(...(points.length === 0 ? arc : arc.slice(1)))
    }
    return points
  }
  const out = new Map()
  for (const county of topology.objects.counties.geometries) {
    if (!wanted.has(String(county.id))) continue
    const coordinates =
      county.type === 'Polygon'
        ? county.arcs.map(ring)
        : county.arcs.map((polygon) => polygon.map(ring))
    out.set(String(county.id), { type: county.type, coordinates })
  }
  return out
}

function decodeArc(arc, { scale, translate }) {
  let x = 0
  let y = 0
  return arc.map(([dx, dy]) => {
    x += dx
    y += dy
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]]
  })
}
