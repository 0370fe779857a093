const WIDTH = 120
const HEIGHT = 28

/** The last figures as a line from left to right, the largest one at the top. */
export function Sparkline({
  values,
  label,
}: {
  readonly values: readonly number[]
  readonly label: string
}) {
  const top = Math.max(1, ...values)
  const step = WIDTH / 59
  const from = WIDTH - (values.length - 1) * step
  const points = values.map(
    (value, n) =>
      `${(from + n * step).toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`,
  )
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path d={`M0 ${HEIGHT - 1}H${WIDTH}`} />
      <polyline points={points.join(' ')} />
    </svg>
  )
}
