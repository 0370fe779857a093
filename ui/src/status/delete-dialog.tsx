import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { act } from '../rest.ts'
import { go } from '../route.ts'
import { toastError } from '../toast.tsx'
import { whilePending } from './pending.ts'

const asked = signal<string | undefined>(undefined)

/** Opens the question; nothing is deleted before the name was typed. */
export const askToDelete = (name: string): void => {
  asked.value = name
}

export function DeleteDialog() {
  const dialog = useRef<HTMLDialogElement>(null)
  const [typed, setTyped] = useState('')
  const name = asked.value
  useEffect(() => {
    setTyped('')
    if (name !== undefined) dialog.current?.showModal()
  }, [name])
  if (name === undefined) return null
  const close = (): void => {
    asked.value = undefined
  }
  const remove = (event: Event): void => {
    event.preventDefault()
    if (typed !== name) return
    close()
    whilePending(name, 'delete', act(name, 'delete')).then(
      () => go({ page: 'connectors' }),
      toastError,
    )
  }
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="delete-title">
      <form onSubmit={remove}>
        <h2 id="delete-title">Delete {name}?</h2>
        <p>Its tasks end and its configuration is gone. Topics and tables stay.</p>
        <label>
          Type the connector’s name:
          <input
            value={typed}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <p class="actions">
          <button type="submit" class="danger" disabled={typed !== name}>
            Delete
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </p>
      </form>
    </dialog>
  )
}
