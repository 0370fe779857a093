import { signal } from '@preact/signals'

interface Toast {
  readonly id: number
  readonly text: string
}

const toasts = signal<readonly Toast[]>([])
const SHOWN_MS = 8_000
const TOASTS_MAX = 3
let nextId = 1

/** Shows a sentence at the foot of the page for some seconds. */
export function toast(text: string): void {
  const id = nextId++
  toasts.value = [...toasts.value, { id, text }].slice(-TOASTS_MAX)
  setTimeout(() => {
    toasts.value = toasts.value.filter((entry) => entry.id !== id)
  }, SHOWN_MS)
}

/** Shows why something did not work. */
export const toastError = (error: unknown): void =>
  toast(error instanceof Error ? error.message : String(error))

export function Toasts() {
  return (
    <div class="toasts" role="alert">
      {toasts.value.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  )
}
