/** `12 s`, `3 min`, `2 h`. */
export function age(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3_600)} h`
}

/** `1,234` and `0.4`: three digits are enough for a rate. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0'
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en-US')
}

export const count = (n: number): string => n.toLocaleString('en-US')
