import { signal } from '@preact/signals'

interface Toast {
  readonly id: number
  readonly text: string
}

const toasts = signal<readonly Toast[]>([])
const SHOWN_MS = 8_000
let nextId = 1

/** Shows a sentence at the foot of the page for some seconds. */
export function toast(text: string): void {
  const id = nextId++
  toasts.value = [...toasts.value, { id, text }].slice(-3)
  setTimeout(() => {
    toasts.value = toasts.value.filter((entry) => entry.id !== id)
  }, SHOWN_MS)
}

export function Toasts() {
  return (
    <div class="toasts" role="alert">
      {toasts.value.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  )
}
