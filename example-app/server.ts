import { createApp } from './app.js'
import { readEnvironment } from './environment.js'
import { endBecauseOf, serve } from './serve.js'

const runtime = await readEnvironment(process.env).catch(endBecauseOf)
await serve('weapp-session example', createApp(runtime), runtime)
