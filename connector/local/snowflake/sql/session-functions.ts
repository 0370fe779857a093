/** What `CURRENT_VERSION()` answers, so that nobody takes this for the real one. */
export const VERSION = '9.99.0-embedded'
