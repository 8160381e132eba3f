import { type Bench, type Row, withProcesses } from '../bench.js'
import { type Crew, openCrew, sendRequests } from '../crew.js'
import { type ProfileSummary, summarize } from '../profile.js'
import { commandRows } from './commands.js'
import { cpuRows } from './cpu.js'

const SAMPLED = { quick: 1_920, full: 10_000 }
const PROFILED = { quick: 1_920, full: 20_000 }

/** Rows 1 to 4: what one authenticated request costs. */
export async function requestRows(bench: Bench): Promise<Row[]> {
  return withProcesses(async (start, startRedis) => {
    const crew = await openCrew(bench, start, await startRedis())
    const rows = [...(await commandRows(bench, crew)), ...(await cpuRows(bench, crew))]
    bench.figures.allocations = await measureAllocations(bench, crew)
    bench.figures.profile = await profileOf(bench, crew)
    return rows
  })
}

/** Bytes allocated a request. They depend little on what else the machine does. */
async function measureAllocations(bench: Bench, crew: Crew): Promise<Record<string, number>> {
  bench.progress('measures allocations')
  const requests = bench.isQuick ? SAMPLED.quick : SAMPLED.full
  const bytes: Record<string, number> = {}
  for (const [name, server] of crew.servers) {
    await server.ask('startAllocations')
    await sendRequests(crew, name, requests)
    bytes[name] = Math.round((await server.ask<number>('stopAllocations')) / requests)
  }
  return bytes
}

async function profileOf(bench: Bench, crew: Crew): Promise<ProfileSummary> {
  bench.progress('profiles weapp-session')
  const server = crew.servers.get('weapp-session')
  if (!server) throw new Error('weapp-session is not open')
  await server.ask('startProfile')
  await sendRequests(crew, 'weapp-session', bench.isQuick ? PROFILED.quick : PROFILED.full)
  return summarize(await server.ask('stopProfile'))
}
