/**
 * From where one partition is read, and whether it is read now. Records count only once Kafka is read from the right
 * place, since a gap between two offsets is legal and so cannot tell that records were missed.
 */
export class Reading {
  readonly #bytesMax: number
  #isAccepting = false
  #seekTo: number | undefined
  /** The first record of this assignment: where to begin again while nothing at all is committed. */
  #firstSeen: number | undefined
  #nextWanted = 0
  /** Up to where the partition was ever read, to be read again after a reopening. */
  #furthest = 0
  #isPaused = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isAccepting(): boolean {
    return this.#isAccepting
  }
  /** Records are known to be missing here, or it is not known whether they are. */
  get isBehind(): boolean {
    return !this.#isAccepting || this.#nextWanted < this.#furthest
  }
  get seekTo(): number | undefined {
    return this.#seekTo
  }

  /** What was read so far does not count: stop until `begin`. */
  stop(): void {
    this.#isAccepting = false
    this.#seekTo = undefined
  }

  /** Reads from `offset`; undefined: from where this assignment began. What was read before must be dropped. */
  beginAt(offset: number | undefined): void {
    this.#isAccepting = false
    this.#seekTo = offset ?? this.#firstSeen
    // Nothing was read yet: what comes next is the right record.
    if (this.#seekTo === undefined) this.#isAccepting = true
  }

  /** Where Kafka must be read next, once. Whoever takes it passes it on, and drops what it has of the partition. */
  takeSeek(): number | undefined {
    const seek = this.#seekTo
    if (seek === undefined) return undefined
    this.#seekTo = undefined
    this.#nextWanted = seek
    this.#isAccepting = true
    return seek
  }

  /** False for a record that must be dropped: read from the wrong place, or a second time. */
  wants(offset: number): boolean {
    this.#firstSeen ??= offset
    this.#furthest = Math.max(this.#furthest, offset + 1)
    if (!this.#isAccepting || offset < this.#nextWanted) return false
    this.#nextWanted = offset + 1
    return true
  }

  /**
   * Whether to pause or resume the partition now that `bytes` are held; undefined: it is as it should be. `isStuck`: what
   * comes now cannot be made rows at once. Records that wait take more memory here than in Kafka's client.
   */
  flowChange(bytes: number, isStuck: boolean): 'pause' | 'resume' | undefined {
    const isTooMuch = bytes > (this.#isPaused ? this.#bytesMax / 2 : this.#bytesMax)
    const wantsPause = isStuck || isTooMuch || (!this.#isAccepting && this.#seekTo === undefined)
    if (wantsPause === this.#isPaused) return undefined
    this.#isPaused = wantsPause
    return wantsPause ? 'pause' : 'resume'
  }
}
