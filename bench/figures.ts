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
  cluster?: ClusterFigures
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

/** What is asked of a Redis Cluster for one call, of 64 at once. */
export interface ClusterFigures {
  readonly calls: number
  /** With a visit that need not be written down. */
  readonly request: ClusterCost
  /** With one that is. */
  readonly visit: ClusterCost
  /** With a profile and `onLogin`, and all that goes on after the response. */
  readonly login: ClusterCost
  /** A thousand at once of the cheapest change. */
  readonly revokeUser: ClusterCost
  /** What the login of a new user takes in Redis at first: the user, and for some minutes values of its code. */
  readonly loginBytes: number
  /** How much more a key takes than on a single server. */
  readonly moreBytesOfKey: number
  /** Microseconds a second that one master uses while nobody asks it. */
  readonly idleMicros: number
}

/** By the masters of users and values together, and by one that has `weapp:all` and nothing else. */
export interface ClusterCost {
  readonly users: MasterCost
  readonly marks: MasterCost
}

/** Of one call. */
export interface MasterCost {
  readonly commands: number
  /** Microseconds of CPU, by `INFO cpu`. */
  readonly cpu: number
  /** Those of them that `INFO commandstats` counts as the commands themselves. */
  readonly inCommands: number
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
