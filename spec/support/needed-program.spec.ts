import { expect } from 'chai'
import { describe, it } from 'mocha'
import { chromium } from '../browser/chromium-binary.js'
import { isRecentEnough, type Machine, type Plan, planProgram } from './needed-program.js'
import { redisServer } from './redis-binary.js'

const debian = 'PRETTY_NAME="Debian GNU/Linux 12"\nVERSION_ID="12"\nID=debian\n'
const mint = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n'
const fedora = 'ID=fedora\n'

function machine(differences: Partial<Machine> = {}, programs: Record<string, string> = {}): Machine {
  const versionOf = (path: string) => programs[path]
  return {
    env: { PATH: '/usr/local/bin:/usr/bin' },
    versionOf,
    osRelease: fedora,
    isRoot: false,
    ...differences,
  }
}

function redis(version: string): string {
  return `Redis server v=${version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1`
}

const planRedisServer = (of: Machine) => planProgram(redisServer, of)

function sentence(plan: Plan): string {
  return 'stop' in plan ? plan.stop : expect.fail(`the plan is ${JSON.stringify(plan)}`)
}

describe('the choice of a redis-server', () => {
  it('takes the first one on the PATH', () => {
    const programs = { '/usr/bin/redis-server': redis('7.0.15') }
    expect(planRedisServer(machine({}, programs))).to.deep.equal({ use: '/usr/bin/redis-server' })
  })

  it('takes REDIS_SERVER before the PATH', () => {
    const programs = { '/usr/bin/redis-server': redis('7.0.15'), '/opt/redis': redis('6.2.0') }
    const env = { PATH: '/usr/bin', REDIS_SERVER: '/opt/redis' }
    expect(planRedisServer(machine({ env }, programs))).to.deep.equal({ use: '/opt/redis' })
  })

  it('stops when REDIS_SERVER names no redis-server, even where it could install one', () => {
    const env = { PATH: '/usr/bin', REDIS_SERVER: '/opt/redis' }
    const plan = planRedisServer(machine({ env, osRelease: debian, isRoot: true }))
    expect(sentence(plan)).to.match(/^\/opt\/redis is no Redis that runs: install it with /)
  })

  it('stops when the redis-server is too old', () => {
    const plan = planRedisServer(machine({}, { '/usr/bin/redis-server': redis('6.0.16') }))
    expect(sentence(plan)).to.match(
      /^\/usr\/bin\/redis-server is Redis 6\.0\.16, but the tests need 6\.2 or newer/,
    )
  })

  for (const [name, osRelease] of Object.entries({ debian, mint })) {
    it(`installs a missing one as root on ${name}`, () => {
      expect(planRedisServer(machine({ osRelease, isRoot: true }))).to.deep.equal({ install: 'apt-get' })
    })
  }

  it('says what to install where it cannot', () => {
    for (const elsewhere of [
      machine({ isRoot: true }),
      machine({ osRelease: debian }),
      machine({ osRelease: '' }),
    ]) {
      const said = sentence(planRedisServer(elsewhere))
      expect(said)
        .to.match(/found none: .*apt-get.*brew.*REDIS_SERVER=.*\.$/)
        .and.not.include('\n')
    }
  })
})

describe('the version of a redis-server', () => {
  it('is read from what Redis and Valkey print', () => {
    expect(redisServer.parseVersion(redis('7.0.15'))).to.equal('7.0.15')
    expect(redisServer.parseVersion('Valkey server v=8.0.1 sha=0:0 malloc=libc bits=64 build=1')).to.equal(
      '8.0.1',
    )
    expect(redisServer.parseVersion('no server at all')).to.equal(undefined)
  })

  it('is compared number by number', () => {
    expect(
      ['6.2.0', '6.10.1', '7.0.15', '10.0.0'].every((version) => isRecentEnough(version, '6.2')),
    ).to.equal(true)
    expect(['2.8.24', '5.0.7', '6.0.16'].some((version) => isRecentEnough(version, '6.2'))).to.equal(false)
  })
})

describe('the choice of a Chromium', () => {
  const printed = 'Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)\n'

  it('takes whatever it is called, best first', () => {
    const programs = { '/usr/bin/google-chrome': 'Google Chrome 140.0.1.2 ', '/usr/bin/chromium': printed }
    expect(planProgram(chromium, machine({}, programs))).to.deep.equal({ use: '/usr/bin/chromium' })
  })

  it('stops at a stub that prints no version, and at an old one', () => {
    const stub = { '/usr/bin/chromium': 'Command requires the chromium snap to be installed.' }
    expect(sentence(planProgram(chromium, machine({}, stub)))).to.match(/is no Chromium that runs/)
    const old = { '/usr/bin/chromium': 'Chromium 90.0.4430.212' }
    expect(sentence(planProgram(chromium, machine({}, old)))).to.match(/CHROMIUM=\/path\/to\/chromium\.$/)
  })
})
