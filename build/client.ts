import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildShort } from './code.js'

/** Makes the client one file that needs nothing but `module` and `wx`. A mini-program copies the folder. */
export function buildClient(into: string): void {
  buildShort('client', into, 'es2018')
  // A mini-program finds index.js under the name of the package, and client.js as `weapp-session/client`, its
  // name everywhere.
  writeFileSync(join(into, 'client.js'), "module.exports = require('./index.js')\n")
  writeFileSync(join(into, 'package.json'), '{ "type": "commonjs" }\n')
}
