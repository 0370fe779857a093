import { events } from '../live.ts'

const SHOWN_MAX = 12

/** What has changed since the page was opened, the newest first; of one connector, or of all. */
export function Events({ subject }: { readonly subject: string | undefined }) {
  const shown = events.value
    .filter(
      (event) =>
        subject === undefined ||
        event.subject === subject ||
        event.subject.startsWith(`${subject} task `),
    )
    .slice(0, SHOWN_MAX)
  return (
    <section class="panel" aria-label="Events">
      <h2>Events</h2>
      {shown.length === 0 && <p class="soft">Nothing has changed since this page was opened.</p>}
      <ul class="events">
        {shown.map(({ atMs, subject: who, text }) => (
          <li key={`${atMs} ${who} ${text}`}>
            <time>{new Date(atMs).toLocaleTimeString()}</time> <b>{who}</b> {text}
          </li>
        ))}
      </ul>
    </section>
  )
}
