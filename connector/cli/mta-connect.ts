// mta-connect COMMAND [arguments]: one door to every program of the project.

interface Command {
  readonly about: string
  /** Importing the module runs the program, with `process.argv` as if it had been called alone. */
  readonly run: () => Promise<unknown>
}

const COMMANDS: Readonly<Record<string, Command>> = {
  start: {
    about: 'everything on this machine: feeds, Kafka, Iceberg tables, the live map',
    run: () => import('./quickstart.ts'),
  },
  standalone: {
    about: 'a worker: standalone WORKER.properties [CONNECTOR.properties ...]',
    run: () => import('./connect-standalone.ts'),
  },
  'feeds-simulator': {
    about: "MTA's feeds on this machine: feeds-simulator --port N [--speed N] [--feeds replay:DIR]",
    run: () => import('./feeds-simulator.ts'),
  },
  registry: {
    about: 'a Schema Registry: registry --port N --data-dir DIR',
    run: () => import('./registry.ts'),
  },
  sql: {
    about: 'SQL on the local tables or on Snowflake: sql [-c SQL | -f FILE] [--format csv]',
    run: () => import('./sql.ts'),
  },
  doctor: {
    about: 'what is wrong with a sink, and what mends it: doctor CONNECTOR.properties',
    run: () => import('./doctor.ts'),
  },
  offsets: {
    about: "the positions of a sink's channels: offsets CONNECTOR.properties [--to-decimal]",
    run: () => import('./offsets.ts'),
  },
  'snowflake-local': {
    about:
      'a local Snowflake: snowflake-local --port N --tls --data-dir DIR --user NAME --public-key FILE',
    run: () => import('./snowflake-local.ts'),
  },
}

const usage = (): string =>
  [
    'mta-connect COMMAND [arguments]',
    '',
    ...Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(16)} ${about}`),
    '',
  ].join('\n')

const [name = ''] = process.argv.splice(2, 1)
const command = COMMANDS[name]
if (command !== undefined) await command.run()
else if (name === '--help' || name === '-h' || name === 'help') process.stdout.write(usage())
else {
  process.stderr.write(
    `mta-connect: ${name === '' ? 'no command given' : `there is no command ${JSON.stringify(name)}`}\n${usage()}`,
  )
  process.exitCode = 2
}
