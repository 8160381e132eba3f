import type { Counted } from './command-counts.js'
import type { LoginServer } from './login-server.js'
import type { ProfileSummary } from './profile.js'
import type { Latencies } from './sessions-process.js'
import type { VerificationCpu } from './token-verifier.js'

/** Microseconds of CPU a request: of the process, and over the bare route of the same Express. */
export interface RequestCpu {
  readonly whole: number
  readonly added: number
  /** The first and the third quartile of `added`: how much the rounds differ. */
  readonly quartiles: readonly [number, number]
}

/** All that was measured, by part; `results.json` has it beside the rows. */
export interface Figures {
  /** By peer, at 64 connections; of weapp-session also one request at a time. */
  commands?: Readonly<Record<string, Counted>>
  cpu?: Readonly<Record<string, RequestCpu>>
  /** What weapp-session adds, as a multiple of what others add. */
  cpuRatios?: Readonly<Record<string, number>>
  /** Bytes a request. */
  allocations?: Readonly<Record<string, number>>
  profile?: ProfileSummary
  login?: LoginFigures
  bytes?: ByteFigures
  /** Microseconds of one call at a time, medians, with so many sessions. */
  growth?: { readonly sessions: readonly [number, number]; readonly few: Latencies; readonly many: Latencies }
  revocation?: RevocationFigures
  /** Microseconds a token. */
  serviceToken?: VerificationCpu
  package?: { readonly kilobytes: number; readonly importMs: number; readonly cpuMs: number }
}

export interface LoginFigures {
  readonly exchanges: number
  readonly commands: number
  readonly roundTrips: number
  /** Microseconds a login: of the bare route, and what others add to it. */
  readonly cpu: Readonly<Record<LoginServer, number>>
  readonly ratio: number
}

/** Bytes in Redis: of the first session of a user with the profile, of the second, and of express-session. */
export interface ByteFigures {
  readonly users: number
  readonly first: number
  readonly second: number
  readonly theirs: number
}

export interface RevocationFigures {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly mostMs: number
  /** How many connections were killed, and how many sessions were accepted afterwards though they had ended. */
  readonly killed: number
  readonly stale: number
}
