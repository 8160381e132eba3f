import { bareExpress4, bareExpress5 } from './bare.js'
import { expressSession } from './express-session.js'
import { handWritten } from './hand-written.js'
import type { Peer } from './peer.js'
import { waferInMemory, waferOverRedis } from './wafer-node-session.js'
import { LOCAL_CACHE, weappSession } from './weapp-session.js'

export const PEERS = {
  'bare Express 5': bareExpress5,
  'bare Express 4': bareExpress4,
  'hand-written GET': handWritten,
  'weapp-session': weappSession(),
  'weapp-session, enableAutoPipelining': weappSession({ enableAutoPipelining: true }),
  'weapp-session, local cache': weappSession({ store: LOCAL_CACHE }),
  'express-session + connect-redis': expressSession,
  'wafer-node-session, MemoryStore': waferInMemory,
  'wafer-node-session + connect-redis': waferOverRedis,
} as const satisfies Record<string, Peer>

export type PeerName = keyof typeof PEERS
