// npm run dev: Vite's development server, with everything but the page itself passed on to a running worker
// (MTA_CONNECT_WORKER, default http://127.0.0.1:8083).
import path from 'node:path'
import { createServer } from 'vite'

const server = await createServer({
  configFile: path.resolve(import.meta.dirname, '../../ui/vite.config.ts'),
})
await server.listen()
server.printUrls()
