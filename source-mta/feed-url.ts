const SECRET_PARAMETER = /^(api[-_]?key|key|token|access[-_]?token|subscription[-_]?key|secret)$/i

/** What is wrong with a feed's address, or undefined. */
export function urlProblem(text: string): string | undefined {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return 'is no URL' // The text itself is shown by the caller.
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'must begin with https: or http:'
  if (url.username !== '' || url.password !== '') return 'must hold no user or password; use auth'
  const secret = [...url.searchParams.keys()].find((name) => SECRET_PARAMETER.test(name))
  if (secret !== undefined) {
    return `must not hold the secret parameter ${secret}; use mta.bus.api.key or auth`
  }
  if (
    /\/mtagtfsfeeds\/./i.test(url.pathname) &&
    !/\/mtagtfsfeeds\/[^/]*%2F[^/]*$/i.test(url.pathname)
  ) {
    return 'must keep the slash of the feed name as %2F, e.g. …/mtagtfsfeeds/nyct%2Fgtfs-ace'
  }
  return undefined
}
