// The marks of the map, small, for its panel: they are its legend.

export const SubwayMark = () => (
  <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
    <circle cx="6" cy="6" r="5" />
  </svg>
)

export const RailMark = () => (
  <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
    <rect x="1.5" y="1.5" width="9" height="9" />
  </svg>
)

export const BusMark = () => (
  <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
    <path d="M6 0.5 10.5 11h-9z" />
  </svg>
)
