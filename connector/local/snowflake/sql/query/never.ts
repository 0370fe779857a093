/** Where the compiler knows that nothing is left; a bug when it is reached all the same. */
export function never(value: never): never {
  throw new TypeError(`Expected no other case, got ${JSON.stringify(value)}.`)
}
