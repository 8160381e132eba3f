import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { failureOf } from './failures.js'
import { install, isInstalled } from './installation.js'

describe('the installation of a folder with a lockfile of its own', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weapp-session-installation-'))
    mkdirSync(join(directory, 'node_modules'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  function write(path: string, modifiedAt: number): void {
    writeFileSync(join(directory, path), '{}')
    utimesSync(join(directory, path), modifiedAt, modifiedAt)
  }

  it('is good as long as it is not older than its lockfile', () => {
    write('package-lock.json', 1000)
    write('node_modules/.package-lock.json', 1000)
    expect(isInstalled(directory)).to.equal(true)
    install(directory)
  })

  it('is done again once the lockfile is newer, or npm was interrupted', () => {
    write('package-lock.json', 1001)
    expect(isInstalled(directory)).to.equal(false)
    write('node_modules/.package-lock.json', 1000)
    expect(isInstalled(directory)).to.equal(false)
  })

  it('says in one sentence that npm failed, and where', async () => {
    const failure = await failureOf(() => install(directory))
    expect(String(failure)).to.match(
      /^Error: The tests need what is installed in .*`npm ci` failed \(exit code \d+\)/,
    )
    expect(String(failure)).to.contain(directory).and.not.contain('\n')
  })
})
