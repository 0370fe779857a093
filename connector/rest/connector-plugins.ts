import { configInfos, configKeyInfo, configRequest } from './entities.ts'
import { HttpError } from './errors.ts'
import { isTrue, ok, type Resource, type RestParts } from './resources.ts'

const withoutSuffix = (name: string): string => name.replace(/Connector$/, '')

/** /connector-plugins and everything below. */
export function pluginResources({ herder }: RestParts): readonly Resource[] {
  return [
    {
      path: '/connector-plugins',
      methods: {
        GET: ({ query }) => {
          const text = query.get('connectorsOnly') ?? ''
          return ok(herder.plugins(text === '' || isTrue(text)))
        },
      },
    },
    {
      path: '/connector-plugins/*/config',
      methods: {
        GET: async ({ params: [plugin = ''], query }) => {
          const version = query.get('version') ?? undefined
          return ok((await herder.pluginConfig(plugin, version)).map(configKeyInfo))
        },
      },
    },
    {
      path: '/connector-plugins/*/config/validate',
      methods: {
        PUT: async ({ params: [plugin = ''], body }) => {
          if (body === undefined || body === null) {
            throw new HttpError(400, 'Expected a JSON object as the request body.')
          }
          const config = configRequest(body)
          const included = config['connector.class']
          if (
            typeof included === 'string' &&
            !withoutSuffix(included).endsWith(withoutSuffix(plugin))
          ) {
            throw new HttpError(
              400,
              `Included connector type ${included} does not match request type ${plugin}`,
            )
          }
          return ok(configInfos(await herder.validate(config)))
        },
      },
    },
  ]
}
