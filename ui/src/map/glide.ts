// From where a vehicle is drawn to where it was reported: evenly, over one interval of its feed, then it stands.

export interface Glide {
  readonly fromX: number
  readonly fromY: number
  readonly toX: number
  readonly toY: number
  readonly beganMs: number
  readonly endsMs: number
}

/** A jump this long (in world units; a third of Manhattan) is another place, not a move. */
const JUMP = 2e-4

export const stand = (x: number, y: number, nowMs: number): Glide => ({
  fromX: x,
  fromY: y,
  toX: x,
  toY: y,
  beganMs: nowMs,
  endsMs: nowMs,
})

/** A new glide that begins where the old one is now. */
export function glideTo(
  old: Glide,
  to: { readonly x: number; readonly y: number },
  time: { readonly nowMs: number; readonly lastsMs: number },
): Glide {
  const at = glideAt(old, time.nowMs)
  if (Math.hypot(to.x - at.x, to.y - at.y) > JUMP || time.lastsMs <= 0) {
    return stand(to.x, to.y, time.nowMs)
  }
  return {
    fromX: at.x,
    fromY: at.y,
    toX: to.x,
    toY: to.y,
    beganMs: time.nowMs,
    endsMs: time.nowMs + time.lastsMs,
  }
}

export function glideAt(glide: Glide, nowMs: number): { readonly x: number; readonly y: number } {
  const span = glide.endsMs - glide.beganMs
  const part = span > 0 ? Math.min(1, Math.max(0, (nowMs - glide.beganMs) / span)) : 1
  return {
    x: glide.fromX + (glide.toX - glide.fromX) * part,
    y: glide.fromY + (glide.toY - glide.fromY) * part,
  }
}

/** Eases the first and last 15 % of a way between two stations: a train starts and brakes. */
export function easeAlong(part: number): number {
  const ramp = 0.15
  const speed = 1 / (1 - ramp)
  if (part <= 0) return 0
  if (part >= 1) return 1
  if (part < ramp) return (speed * part * part) / (2 * ramp)
  if (part > 1 - ramp) return 1 - (speed * (1 - part) * (1 - part)) / (2 * ramp)
  return speed * (part - ramp / 2)
}
