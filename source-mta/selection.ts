// What a feed is asked for: of all that it holds only some routes, stops, directions or an area.
import type { Box } from './profiles.ts'
import { isWithin } from './box.ts'

/** Empty and undefined: everything. All that are given must hold. */
export interface SelectionRules {
  readonly routes: readonly string[]
  readonly stops: readonly string[]
  /** `direction_id` 0 or 1, DirectionRef, or NYCT's NORTH, SOUTH, EAST, WEST. */
  readonly directions: readonly string[]
  readonly box: Box | undefined
}

/** What a record is chosen by. Undefined: the record does not tell. */
export interface Selectable {
  readonly routes: readonly string[]
  readonly stops: readonly string[]
  readonly directions: readonly string[]
  readonly place: { readonly latitude: number; readonly longitude: number } | undefined
}

/** Chooses records. A record that does not tell what a rule asks for is left out. */
export class Selection {
  readonly #routes: ReadonlySet<string>
  readonly #stops: ReadonlySet<string>
  readonly #directions: ReadonlySet<string>
  readonly #box: Box | undefined

  constructor(rules: SelectionRules) {
    this.#routes = new Set(rules.routes)
    this.#stops = new Set(rules.stops)
    this.#directions = new Set(rules.directions.map((direction) => direction.toUpperCase()))
    this.#box = rules.box
  }

  /** Whether there is any rule. */
  get isActive(): boolean {
    const { size: routes } = this.#routes
    return routes + this.#stops.size + this.#directions.size > 0 || this.#box !== undefined
  }

  hasRoute(route: string): boolean {
    return holds(this.#routes, [route])
  }

  has({ routes, stops, directions, place }: Selectable): boolean {
    return (
      holds(this.#routes, routes) &&
      holds(this.#stops, stops) &&
      holds(this.#directions, directions) &&
      (this.#box === undefined || (place !== undefined && isWithin(this.#box, place)))
    )
  }
}

const holds = (wanted: ReadonlySet<string>, given: readonly string[]): boolean =>
  wanted.size === 0 || given.some((one) => wanted.has(one))
