import { createApp } from './app.js'
import { readEnvironment } from './environment.js'
import { exitWith, serve } from './serve.js'

const runtime = await readEnvironment(process.env).catch(exitWith)
await serve('weapp-session example', createApp(runtime), runtime)
