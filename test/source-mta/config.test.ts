import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../connector/api/errors.ts'
import { parseConfig, validateConfig } from '../../source-mta/config.ts'
import { MtaSourceConnector } from '../../source-mta/connector.ts'
import { DEFAULT_FEED_IDS } from '../../source-mta/feeds.ts'

const KEY = { 'mta.bus.api.key': 's3cret' }

const problemsOf = (props: Record<string, string>): string => {
  try {
    parseConfig(props)
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
}

const deal = (feeds: string, maxTasks: number): (string | undefined)[] => {
  const connector = new MtaSourceConnector()
  connector.start({ feeds })
  return connector.taskConfigs(maxTasks).map((props) => props['task.feeds'])
}

describe('parseConfig', () => {
  test('needs nothing: eleven feeds at MTA, the buses only with a key', () => {
    const { feeds } = parseConfig(KEY)
    expect(feeds.map(({ id }) => id)).toEqual(DEFAULT_FEED_IDS)
    expect(feeds[1]).toMatchObject({
      id: 'mta-subway-ace',
      url: 'https://api-endpoint.mta.info/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-ace',
      profile: 'nyct',
      pollIntervalMs: 15_000,
      timeoutMs: 10_000,
    })
    expect(feeds.at(-1)?.auth).toMatchObject({ kind: 'query', name: 'key' })
    expect(parseConfig({})).toMatchObject({ withoutKey: ['mta-bus-vp'] })
    expect(parseConfig({}).feeds).toHaveLength(10)
  })

  test('another server needs other base addresses only, and no key', () => {
    const { feeds } = parseConfig({
      'feeds.base.url': 'http://127.0.0.1:9/',
      'feeds.bus.base.url': 'http://127.0.0.1:9',
    })
    expect(feeds).toHaveLength(11)
    expect(feeds.map(({ url }) => url)).toContain('http://127.0.0.1:9/vehiclePositions')
    expect(feeds[0]?.url).toBe('http://127.0.0.1:9/Dataservice/mtagtfsfeeds/nyct%2Fgtfs')
  })

  test("a feed's key wins over the defaults, which win over the known feed's", () => {
    const { feeds } = parseConfig({
      feeds: 'mta-subway-l,mta-lirr,mbta',
      'feed.defaults.poll.interval.ms': '5000',
      'feed.mta-lirr.poll.interval.ms': '1000',
      'feed.mbta.url': 'https://cdn.mbta.com/realtime/VehiclePositions.pb',
      'feed.mbta.auth': 'header:x-api-key:abc',
    })
    expect(feeds.map((feed) => feed.pollIntervalMs)).toEqual([5_000, 1_000, 5_000])
    expect(feeds[2]).toMatchObject({ profile: 'generic', auth: { kind: 'header' } })
  })

  test('names every problem in one error', () => {
    const message = problemsOf({
      feeds: 'mta-subway-l,mta-subway-q,mta-bus-vp',
      'emit.mode': 'sometimes',
      'feed.mta-subway-l.poll.interval.ms': '999',
      'feed.mta-subway-l.pol.interval.ms': '5000',
      'feed.mta-subway-l.url': 'https://api-endpoint.mta.info/Dataservice/mtagtfsfeeds/nyct/gtfs-l',
      'feed.defaults.poll.interval.ms': '10',
    })
    expect(message.split('\n')).toHaveLength(7)
    for (const part of [
      'emit.mode',
      'at least 1000',
      'Unknown configuration "feed.mta-subway-l.pol.interval.ms"',
      '%2F',
      'feed.defaults.poll.interval.ms',
      'Unknown feed "mta-subway-q" in feeds: known are mta-subway-1234567s',
      'mta.bus.api.key',
    ]) {
      expect(message).toContain(part)
    }
  })

  test.each([
    [{ feeds: '' }, 'names no feed'],
    [{ feeds: 'mta-lirr,mta-lirr' }, 'named twice'],
    [{ feeds: 'a b' }, 'not a feed id'],
    [{ 'feeds.base.url': 'nowhere' }, 'is no URL'],
    [{ 'feeds.base.url': 'ftp://x' }, 'must begin with https'],
    [{ 'topic.prefix': 'a/b' }, 'topic.prefix'],
    [{ 'feed.mta-lirr.url': 'https://x/?key=1' }, 'secret parameter key'],
    [{ 'feed.mta-lirr.auth': 'bearer:s3cret:x' }, 'must be none, query:NAME:VALUE'],
    [{ 'feed.mta-lirr.profile': 'lir' }, 'String must be one of'],
    [{ 'feed.mta-lirr.format': 'xml' }, 'String must be one of'],
    [{ 'feed.mta-lirr.time.zone': 'Gotham' }, 'is no IANA time zone'],
    [{ 'feed.defaults.select.bbox': '41,-74,40,-73' }, 'south below north'],
    [{ 'feed.mta-lirr.select.bbox': '40.1,-74.0,41' }, 'south,west,north,east'],
    [{ 'feed.defaults.select.directions': 'NORTH,up' }, 'no direction: up'],
    [{ feeds: 'icymta-siri' }, 'icymta-siri needs it at MTA'],
    [
      { ...KEY, feeds: 'icymta-siri', 'feed.icymta-siri.poll.interval.ms': '29999' },
      'at least 30000 for all vehicles',
    ],
    [
      { ...KEY, feeds: 'icymta-siri', 'feed.defaults.poll.interval.ms': '15000' },
      'at least 30000 for all vehicles',
    ],
  ])('%o is refused', (props: Record<string, string>, part) => {
    expect(problemsOf(props)).toContain(part)
    expect(problemsOf(props)).not.toContain('s3cret')
  })

  test('one line or vehicle of SIRI may be asked for more often', () => {
    const url = 'https://bustime.mta.info/api/siri/vehicle-monitoring.json?version=2&LineRef=M15'
    const { feeds } = parseConfig({
      ...KEY,
      feeds: 'icymta-siri',
      'feed.icymta-siri.url': url,
      'feed.icymta-siri.poll.interval.ms': '5000',
    })
    expect(feeds[0]).toMatchObject({ pollFloorMs: 0, format: 'siri-vm-json', profile: 'siri-vm' })
  })

  test("a feed's selection wins over that of all feeds", () => {
    const { feeds } = parseConfig({
      feeds: 'mta-subway-l,mta-lirr',
      'feed.defaults.select.routes': 'L, A',
      'feed.mta-lirr.select.routes': '',
      'feed.mta-lirr.select.bbox': '40.6,-74,40.9,-73.5',
    })
    expect(feeds.map(({ select }) => select)).toEqual([
      { routes: ['L', 'A'], stops: [], directions: [], box: undefined },
      {
        routes: [],
        stops: [],
        directions: [],
        box: { south: 40.6, west: -74, north: 40.9, east: -73.5 },
      },
    ])
  })

  test('keys of known feeds that are not polled are no problem', () => {
    expect(problemsOf({ feeds: 'mta-mnr', 'feed.mta-lirr.timeout.ms': '500' })).toBe('')
  })
})

describe('validateConfig', () => {
  test('hides secrets', () => {
    const values = validateConfig({ ...KEY, 'feed.mta-lirr.auth': 'query:k:s3cret' })
    expect(JSON.stringify(values)).not.toContain('s3cret')
    expect(values.flatMap(({ errors }) => errors)).toEqual([])
  })
})

describe('taskConfigs', () => {
  test('deals the feeds out, one task each at most', () => {
    expect(deal('mta-lirr,mta-mnr,mta-subway-l', 2)).toEqual(['mta-lirr,mta-subway-l', 'mta-mnr'])
    expect(deal('mta-lirr,mta-mnr', 5)).toEqual(['mta-lirr', 'mta-mnr'])
  })
})

const alter = (partition: Record<string, string>): boolean =>
  new MtaSourceConnector().alterOffsets({}, [[partition, null]])

describe('alterOffsets', () => {
  test('takes partitions of this connector only', () => {
    expect(alter({ feed: 'mta-lirr' })).toBe(true)
    expect(() => alter({ file: 'mta-lirr' })).toThrow('must be {"feed": "<id>"}')
  })
})
