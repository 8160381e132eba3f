import { type HeapProfiler, type Profiler, Session } from 'node:inspector/promises'

const SAMPLE_MICROS = 200
const SAMPLE_BYTES = 4096

let inspector: Session | undefined

/** What a process replies about its own CPU and memory. */
export const profiling = {
  /** The CPU that this process has used, in microseconds. */
  cpu(): number {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  async startProfile(): Promise<void> {
    const session = connected()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS })
    await session.post('Profiler.start')
  },
  async stopProfile(): Promise<Profiler.Profile> {
    const { profile } = await connected().post('Profiler.stop')
    disconnect()
    return profile
  },
  async startAllocations(): Promise<void> {
    const session = connected()
    await session.post('HeapProfiler.enable')
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: SAMPLE_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
  },
  /** The bytes that were allocated, also for what was collected since. */
  async stopAllocations(): Promise<number> {
    const { profile } = await connected().post('HeapProfiler.stopSampling')
    disconnect()
    return bytesUnder(profile.head)
  },
}

function connected(): Session {
  if (inspector) return inspector
  inspector = new Session()
  inspector.connect()
  return inspector
}

function disconnect(): void {
  inspector?.disconnect()
  inspector = undefined
}

function bytesUnder({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + bytesUnder(child), selfSize)
}
