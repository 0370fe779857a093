import { describe, expect, test } from 'vitest'
import { parseStatistics } from '../../../connector/kafka/statistics.ts'

describe('parseStatistics', () => {
  test("takes a consumer's totals, latency and lags", () => {
    const document = {
      client_id: 'c',
      type: 'consumer',
      tx_bytes: 10,
      rx_bytes: 2_000,
      txmsgs: 1,
      rxmsgs: 7,
      brokers: {
        'a:9092/1': { state: 'UP', rtt: { avg: 1_000, cnt: 3 } },
        'b:9092/2': { state: 'UP', rtt: { avg: 5_000, cnt: 1 } },
        'c:9092/bootstrap': { state: 'DOWN', rtt: { avg: 0, cnt: 0 } },
      },
      topics: {
        t: {
          partitions: {
            '0': { consumer_lag: 4 },
            '1': { consumer_lag: -1 },
            '-1': { consumer_lag: 0 },
          },
        },
      },
    }
    expect(parseStatistics(JSON.stringify(document))).toEqual({
      clientId: 'c',
      kind: 'consumer',
      connections: 2,
      bytesSentTotal: 10,
      bytesReceivedTotal: 2_000,
      messagesTotal: 7,
      requestLatencyMsAvg: 2,
      lags: [{ topic: 't', partition: 0, lag: 4 }],
    })
  })

  test('is undefined for what is cut off or of another kind', () => {
    expect(parseStatistics('{"type":"consu')).toBeUndefined()
    expect(parseStatistics('{"type":"share"}')).toBeUndefined()
  })
})
