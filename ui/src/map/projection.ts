// World coordinates: Web Mercator on a unit square, x to the east and y to the south, as map tiles use it.

export interface WorldPoint {
  readonly x: number
  readonly y: number
}

/** Metres of the world's width at New York's latitude; good enough for all that the map shows. */
export const METERS_PER_WORLD = 40_075_017 * Math.cos((40.73 * Math.PI) / 180)

export function project(longitude: number, latitude: number): WorldPoint {
  const sin = Math.sin((latitude * Math.PI) / 180)
  return {
    x: longitude / 360 + 0.5,
    y: 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI),
  }
}

/** Where a camera looks; `scale` is pixels for the whole world. */
export interface Camera {
  readonly scale: number
  readonly centerX: number
  readonly centerY: number
  readonly width: number
  readonly height: number
}

export const cameraOf = (view: {
  readonly zoom: number
  readonly longitude: number
  readonly latitude: number
  readonly width: number
  readonly height: number
}): Camera => {
  const center = project(view.longitude, view.latitude)
  // MapLibre's zoom 0 shows the world on 512 pixels.
  return {
    scale: 512 * 2 ** view.zoom,
    centerX: center.x,
    centerY: center.y,
    width: view.width,
    height: view.height,
  }
}
