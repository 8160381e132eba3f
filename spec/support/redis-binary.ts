import { spawnSync } from 'node:child_process'
import { findProgram, type NeededProgram } from './needed-program.js'

export const redisServer: NeededProgram = {
  title: 'Redis',
  names: ['redis-server'],
  variable: 'REDIS_SERVER',
  oldest: '6.2',
  debianPackages: ['redis-server'],
  commands: '`sudo apt-get install redis-server` or `brew install redis`',
  // 'Redis server v=7.0.15 sha=…' and 'Valkey server v=8.0.1 sha=…' alike.
  parseVersion: (text) => /\bv=(\d+\.\d+\.\d+)/.exec(text)?.[1],
  // The package may start a service of its own, which nobody here asked for.
  afterInstall: () => void spawnSync('service', ['redis-server', 'stop'], { stdio: 'ignore' }),
}

/** The path of a redis-server, which is installed first where that is possible. */
export function findRedisServer(): string {
  return findProgram(redisServer)
}
