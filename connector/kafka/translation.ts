/** What a translation has so far; `java` is what it reads from. */
export class Translation {
  readonly java: Readonly<Record<string, string>>
  readonly config: Record<string, string> = {}
  readonly ignored: string[] = []
  readonly problems: string[] = []
  readonly #used = new Set<string>()

  constructor(java: Readonly<Record<string, string>>) {
    this.java = java
  }

  /** The trimmed value of a Java property, which counts as read from now on; undefined when absent or empty. */
  take(key: string): string | undefined {
    this.#used.add(key)
    const value = this.java[key]?.trim()
    return value === undefined || value === '' ? undefined : value
  }

  /** As `take`, but an empty value stays one: it can be a setting of its own. */
  takeRaw(key: string): string | undefined {
    this.#used.add(key)
    return this.java[key]?.trim()
  }

  set(key: string, value: string): void {
    this.config[key] = value
  }

  /** Notes a property that has no meaning for this client. */
  ignore(key: string): void {
    this.#used.add(key)
    if (!this.ignored.includes(key)) this.ignored.push(key)
  }

  problem(key: string, text: string): void {
    this.problems.push(`${key}: ${text}`)
  }

  /** Properties that nobody has read, in the order given. */
  unread(): readonly string[] {
    return Object.keys(this.java).filter((key) => !this.#used.has(key))
  }
}
