export type Language = 'en' | 'zh'

/** What a row of the table is about. Its parts stand in one order in `what`, `target` and the measured values. */
export interface Target {
  readonly what: Readonly<Record<Language, string>>
  readonly target: string
}

/** The rows by their numbers. */
export const TARGETS: Readonly<Record<number, Target>> = {
  1: {
    what: {
      en: 'Redis commands an authenticated request: alone; at 64 connections',
      zh: '一个已登录请求的 Redis 命令数：单独一个；64 个连接',
    },
    target: '≤ 1.00; ≤ 0.5',
  },
  2: {
    what: { en: '… of a hot session, local cache on', zh: '……热会话，打开本地缓存' },
    target: '≤ 0.02',
  },
  3: {
    what: {
      en: 'CPU that `requireSession()` adds to the bare route, as a multiple of what others add: the hand-written GET; express-session + connect-redis; wafer-node-session',
      zh: '`requireSession()` 在空路由之上增加的 CPU，是别人增加的几倍：手写的 GET；express-session + connect-redis；wafer-node-session',
    },
    target: '≤ 0.75 ×; ≤ 0.25 ×; ≤ 1.1 ×',
  },
  4: {
    what: { en: '… local cache on: the hand-written GET', zh: '……打开本地缓存：手写的 GET' },
    target: '≤ 0.4 ×',
  },
  5: {
    what: {
      en: 'Login: calls to WeChat; round trips to Redis before the response; own CPU as a multiple of a hand-written fetch + SET',
      zh: '登录：调用微信的次数；响应之前与 Redis 的往返次数；自己的 CPU 是手写 fetch + SET 的几倍',
    },
    target: '1; ≤ 3; ≤ 1.5 ×',
  },
  6: {
    what: {
      en: 'Redis bytes with a profile, index included: the first session of a user, as a multiple of express-session + connect-redis; the second one, as a multiple of the first',
      zh: 'Redis 字节数，含用户资料和索引：用户的第一个会话，是 express-session + connect-redis 的几倍；第二个会话，是第一个的几倍',
    },
    target: '≤ 1.0 ×; ≤ 0.6 ×',
  },
  7: {
    what: {
      en: 'Growth of the p50 from few sessions to many: `authenticate`; `list`; `revokeUser`',
      zh: '会话从少到多，p50 的变化：`authenticate`；`list`；`revokeUser`',
    },
    target: '≤ 1.1 ×; ≤ 1.25 ×; ≤ 1.25 ×',
  },
  8: {
    what: {
      en: 'Revocation seen by another process, local cache on: p99; stale once its channel is lost',
      zh: '会话结束后另一个进程多久知道，打开本地缓存：p99；通道断开后仍被接受的会话',
    },
    target: '≤ 50 ms; 0',
  },
  9: {
    what: {
      en: 'Verifying a service token (ES256), as a multiple of jsonwebtoken with a `KeyObject`',
      zh: '验证服务令牌（ES256），是 jsonwebtoken 加 `KeyObject` 的几倍',
    },
    target: '≤ 1.1 ×',
  },
  10: {
    what: {
      en: 'Package: packed; import on top of Express',
      zh: '包：打包后的大小；在 Express 之上导入的时间',
    },
    target: '≤ 130 kB; ≤ 30 ms',
  },
}
