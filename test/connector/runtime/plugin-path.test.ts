import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findPlugins } from '../../../connector/runtime/plugin-path.ts'
import type { PluginDescriptor } from '../../../connector/runtime/plugins.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { recordingLog } from '../../support/recording-log.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'plugin-path-'))
})
afterEach(() => rm(folder, { recursive: true }))

const write = async (name: string, text = ''): Promise<void> => {
  await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
  await writeFile(path.join(folder, name), text)
}
const manifest = (name: string, json: unknown): Promise<void> =>
  write(`${name}/package.json`, JSON.stringify(json))

type Exported = Readonly<Record<string, unknown>>

/** Modules export what `exports` says for their name; by default a predicate that is named for the file. */
function stage(exports: Readonly<Record<string, () => Exported | Promise<Exported>>> = {}) {
  const log = recordingLog()
  const clock = new FakeClock()
  const loaded: string[] = []
  const find = (
    entries: readonly string[],
    builtIn: readonly PluginDescriptor[] = [],
  ): Promise<readonly PluginDescriptor[]> =>
    findPlugins({
      entries,
      folder,
      builtIn,
      clock,
      log,
      load: async (file) => {
        const name = path.relative(folder, file)
        loaded.push(name)
        const base = path.basename(file, path.extname(file))
        return (exports[name] ?? (() => ({ plugins: [plugin(`com.example.${base}`)] })))()
      },
    })
  return { log, clock, loaded, find }
}

const plugin = (className: string, rest: object = {}) => ({
  kind: 'predicate',
  className,
  create: () => ({}),
  ...rest,
})
const names = (plugins: readonly PluginDescriptor[]) =>
  plugins.map(({ className, version }) => [className, version])

const same = (): Exported => ({ plugins: [plugin('com.example.Same', { version: '1' })] })

describe('plugin.path', () => {
  test('a folder holds modules and packages, in the order of their names', async () => {
    await write('plugins/b.ts')
    await write('plugins/a.mjs')
    await write('plugins/a.d.ts')
    await write('plugins/notes.txt')
    await write('plugins/node_modules/x/index.js')
    await write('plugins/plain/index.ts')
    await manifest('plugins/named', {
      version: '2.0.0',
      'mta-connect': { plugins: ['p.js', 'q.js'] },
    })
    const { find, loaded } = stage()
    const found = await find(['plugins'])
    expect(loaded).toEqual([
      'plugins/a.mjs',
      'plugins/b.ts',
      'plugins/named/p.js',
      'plugins/named/q.js',
      'plugins/plain/index.ts',
    ])
    expect(names(found)).toContainEqual(['com.example.p', '2.0.0'])
    expect(names(found)).toContainEqual(['com.example.a', 'undefined'])
  })

  test.each([
    [{ exports: './e.js' }, 'e.js'],
    [{ exports: { '.': { types: './t.d.ts', import: './i.js' } } }, 'i.js'],
    [{ main: 'm.js', exports: { './other': './o.js' } }, 'm.js'],
  ])('the main module of the package %j is %s', async (json, file) => {
    await manifest('node_modules/@example/pack', json)
    const { find, loaded } = stage()
    await find(['@example/pack'])
    expect(loaded).toEqual([`node_modules/@example/pack/${file}`])
  })

  test.each<[string, () => Exported, string]>([
    ['that throws', () => Promise.reject(new Error('Out of order')) as never, 'Out of order'],
    ['without plugins', () => ({}), 'exports no array called plugins'],
    ['with a plugin without a name', () => ({ plugins: [{}] }), 'className'],
    ['with null for a plugin', () => ({ plugins: [null] }), 'className'],
    ['of an unknown kind', () => ({ plugins: [plugin('a.B', { kind: 'b' })] }), 'to have a kind'],
    ['without create', () => ({ plugins: [plugin('a.B', { create: 1 })] }), 'function create'],
  ])(
    'a module %s is named with its reason; the others are there',
    async (_what, broken, reason) => {
      await write('plugins/a.js')
      await write('plugins/b.js')
      const { find, log } = stage({ 'plugins/a.js': broken })
      expect(names(await find(['plugins']))).toEqual([['com.example.b', 'undefined']])
      expect(log.lines).toContainEqual(
        expect.objectContaining({
          level: 'error',
          fields: expect.objectContaining({
            file: path.join(folder, 'plugins/a.js'),
            reason: expect.stringContaining(reason) as string,
          }) as object,
        }),
      )
    },
  )

  test('a module that never loads is given up after half a minute', async () => {
    await write('plugins/a.js')
    const { find, log, clock } = stage({ 'plugins/a.js': () => new Promise(() => {}) })
    const finding = find(['plugins'])
    await settled()
    await clock.advance(30_000)
    expect(await finding).toEqual([])
    expect(JSON.stringify(log.lines)).toContain('did not finish within 30000 ms')
  })

  test('the first of a name stays, what comes with the worker before all', async () => {
    await write('plugins/a.js')
    await write('plugins/b.js')
    const { find, log } = stage({ 'plugins/a.js': same, 'plugins/b.js': same })
    const found = await find(['plugins'])
    expect(names(found)).toEqual([['com.example.Same', '1']])
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(
      await stage({ 'plugins/a.js': same, 'plugins/b.js': same }).find(['plugins'], found),
    ).toEqual([])
  })

  test.each(['nowhere', '../nowhere', '@example/none', 'a b'])(
    'an entry that is not there is named: %s',
    async (entry) => {
      const { find, log } = stage()
      expect(await find([entry])).toEqual([])
      expect(JSON.stringify(log.lines)).toContain(`${entry} is neither a folder that exists nor`)
    },
  )
})
