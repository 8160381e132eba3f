import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { exitOnSignals } from '../../lib/index.js'

/*
 * A primary with two workers of which it tells one to end. That one says so, hears of nothing for a while, and then ends
 * at once. The primary prints the port and which one stays as soon as the other one is deaf, and then how that one ended.
 */

const DEAF_MS = 500

if (cluster.isPrimary) await endOne()
else work()

async function endOne(): Promise<void> {
  const [ending, staying] = [cluster.fork(), cluster.fork()]
  const ports = await Promise.all([ending, staying].map((worker) => once(worker, 'listening')))
  const ended = once(ending, 'exit')
  ending.process.kill('SIGTERM')
  await once(ending, 'message')
  process.stdout.write(`${JSON.stringify({ port: ports[0]?.[0].port, staying: staying.process.pid })}\n`)
  process.stdout.write(`${JSON.stringify(await ended)}\n`)
}

function work(): void {
  const server = createServer((_req, res) => res.end(`${process.pid}`)).listen(0, '127.0.0.1')
  exitOnSignals(() => {
    process.send?.('ends')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, DEAF_MS)
    server.close()
  })
}
