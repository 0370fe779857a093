import { toastError } from '../toast.tsx'
import { rootCause } from './summary.ts'

/** The root cause first; the rest on request. */
export function Trace({ text }: { readonly text: string }) {
  return (
    <details class="trace">
      <summary>{rootCause(text)}</summary>
      <button
        type="button"
        onClick={() => void navigator.clipboard.writeText(text).catch(toastError)}
      >
        Copy the trace
      </button>
      <pre>{text}</pre>
    </details>
  )
}
