// Lines on the ground: metres, simplification, and Google's encoded polyline format (precision 5).

const METRES_PER_DEGREE = 111_195

/** Metres between two [lat, lon] points, exact enough for a city. */
export function metres([lat1, lon1], [lat2, lon2]) {
  const shrink = Math.cos((((lat1 + lat2) / 2) * Math.PI) / 180)
  return METRES_PER_DEGREE * Math.hypot(lat2 - lat1, (lon2 - lon1) * shrink)
}

/** The metres from the start to each point. */
export function cumulative(points) {
  const out = [0]
  for (let i = 1; i < points.length; i++) out.push(out[i - 1] + metres(points[i - 1], points[i]))
  return out
}

/** Douglas–Peucker: drops points that lie within `tolerance` metres of what stays. */
export function simplify(points, tolerance) {
  const keep = new Uint8Array(points.length).fill(0)
  keep[0] = 1
  keep[points.length - 1] = 1
  const open = [[0, points.length - 1]]
  while (open.length > 0) {
    const [first, last] = open.pop()
    let worst = tolerance
    let at = -1
    for (let i = first + 1; i < last; i++) {
      const off = project(points[i], points[first], points[last]).off
      if (off > worst) {
        worst = off
        at = i
      }
    }
    if (at < 0) continue
    keep[at] = 1
    open.push([first, at], [at, last])
  }
  return points.filter((_, i) => keep[i] === 1)
}

/** Where `p` falls on the segment from `a` to `b`: the share of its length, and metres beside it. */
export function project(p, a, b) {
  const shrink = Math.cos((a[0] * Math.PI) / 180)
  const [ax, ay] = [0, 0]
  const bx = (b[1] - a[1]) * shrink
  const by = b[0] - a[0]
  const px = (p[1] - a[1]) * shrink
  const py = p[0] - a[0]
  const length2 = bx * bx + by * by
  const share = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * bx + py * by) / length2))
  return {
    share,
    off: METRES_PER_DEGREE * Math.hypot(px - ax - share * bx, py - ay - share * by),
  }
}

/** [lat, lon] points as an encoded polyline. */
export function encodePolyline(points) {
  let out = ''
  let previous = [0, 0]
  for (const point of points) {
    const scaled = point.map((degrees) => Math.round(degrees * 1e5))
    for (const axis of [0, 1]) out += encodeNumber(scaled[axis] - previous[axis])
    previous = scaled
  }
  return out
}

function encodeNumber(value) {
  let rest = value < 0 ? ~(value << 1) : value << 1
  let out = ''
  while (rest >= 0x20) {
    out += String.fromCharCode((0x20 | (rest & 0x1f)) + 63)
    rest >>= 5
  }
  return out + String.fromCharCode(rest + 63)
}
