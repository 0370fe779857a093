type Ring = readonly (readonly [longitude: number, latitude: number])[]

export interface Area {
  readonly properties: { readonly name: string }
  readonly geometry:
    | { readonly type: 'Polygon'; readonly coordinates: readonly Ring[] }
    | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly Ring[])[] }
}

/** Where the name of an area goes, once: the centre of gravity of its largest outline. */
export function labelPoint({ geometry }: Area): readonly [longitude: number, latitude: number] {
  const outlines =
    geometry.type === 'Polygon'
      ? geometry.coordinates.slice(0, 1)
      : geometry.coordinates.flatMap((polygon) => polygon.slice(0, 1))
  const centres = outlines.map(centre).sort((a, b) => b.area - a.area)
  return centres[0]?.point ?? [0, 0]
}

function centre(ring: Ring): {
  readonly area: number
  readonly point: readonly [longitude: number, latitude: number]
} {
  let twice = 0
  let x = 0
  let y = 0
  ring.forEach(([x0, y0], n) => {
    const [x1, y1] = ring[(n + 1) % ring.length] ?? [x0, y0]
    const cross = x0 * y1 - x1 * y0
    twice += cross
    x += (x0 + x1) * cross
    y += (y0 + y1) * cross
  })
  if (twice === 0) return { area: 0, point: ring[0] ?? [0, 0] }
  return { area: Math.abs(twice) / 2, point: [x / (3 * twice), y / (3 * twice)] }
}
