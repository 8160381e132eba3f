import { join } from 'node:path'
import { install } from '../spec/support/installation.js'
import { root } from './root.js'

process.stdout.write('installs what it compares with, the first time\n')
install(join(root, 'bench'))
// What is measured imports what has just been installed.
await import('./measure.js')
