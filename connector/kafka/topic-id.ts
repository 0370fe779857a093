const NO_TOPIC_ID = /^A+=*$/

/**
 * A topic id as Kafka's own tools print it: base64 in the URL-safe alphabet without padding, while librdkafka gives
 * the ordinary one. Undefined for the id of all zeros, which brokers without topic ids send.
 */
export const topicIdOf = (base64: string): string | undefined =>
  NO_TOPIC_ID.test(base64)
    ? undefined
    : base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
