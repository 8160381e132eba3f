export type { Clock } from './clock.js'
export { ERROR_CODES, type ErrorCode, WeappError, type WeappErrorOptions } from './errors.js'
export type { CodeExchange, ExchangeApp, Identity } from './exchange.js'
export type { AccessTokenProvider, AccessTokenRequest } from './flows/access-tokens.js'
export type { AdminAction, AuditEvent, AuditedWhom, OnAudit } from './flows/audit.js'
export type { AuthenticateOptions, SensitiveAction } from './flows/authenticate.js'
export type { ConfirmationProof } from './flows/confirm.js'
export { createSessions } from './flows/create-sessions.js'
export type { PartState, SessionsHealth } from './flows/health.js'
export type {
  ConfirmEvent,
  LoginEvent,
  OnConfirm,
  OnLogin,
  OnUserInfo,
  UserInfoEvent,
} from './flows/hooks.js'
export type { LoginRequest, LoginResult } from './flows/log-in.js'
export type { UserDataRequest } from './flows/received-data.js'
export type { LoginRefusedEvent, OnLoginRefused } from './flows/refused-logins.js'
export type { RenewalRequest } from './flows/renew.js'
export type { SessionsScope } from './flows/scope.js'
export type {
  RevokeAllOptions,
  RevokeUserOptions,
  RotateOptions,
  Sessions,
  SessionsApps,
} from './flows/sessions.js'
export type { SessionsOptions, WechatOptions } from './flows/sessions-options.js'
export type { StepUp } from './flows/step-up.js'
export type { DecryptOptions } from './flows/user-data.js'
export type { PhoneNumberRequest } from './flows/wechat-calls.js'
export { type AdminRouterOptions, adminRouter } from './http/admin-router.js'
export { asyncHandler, sessionHandler } from './http/async-handler.js'
export type { Authorize } from './http/authorize.js'
export {
  defaultSessions,
  type EnvironmentOptions,
  optionsFromEnvironment,
} from './http/default-sessions.js'
export { type ExitOnSignalsOptions, exitOnSignals } from './http/exit-on-signals.js'
export { type GracefulShutdownOptions, gracefulShutdown } from './http/graceful-shutdown.js'
export { type HealthRouterOptions, healthRouter } from './http/health-router.js'
export type { LoginLimitOptions } from './http/login-limits.js'
export { type LoginRouterOptions, loginRouter } from './http/login-router.js'
export type { MountOptions } from './http/mount-options.js'
export { problemHandler } from './http/problem-handler.js'
export type { RequestSession, SessionRequest } from './http/request.js'
export { type RequireServiceTokenOptions, requireServiceToken } from './http/require-service-token.js'
export { type RequireSessionOptions, requireSession } from './http/require-session.js'
export { type ServiceTokensOptions, serviceTokens } from './http/service-tokens.js'
export type { Logger } from './logger.js'
export { type LegacyUserInfo, legacyUserInfo } from './protocols/legacy-user-info.js'
export { type NativeOptions, nativeProtocol } from './protocols/native.js'
export type { Problem } from './protocols/problem.js'
export {
  type LoginAttempt,
  type Protocol,
  type ProtocolRoute,
  type RouteParts,
  route,
  type WireReply,
  type WireRequest,
} from './protocols/protocol.js'
export { waferProtocol } from './protocols/wafer.js'
export { waferServerProtocol } from './protocols/wafer-server.js'
export { wafer2Protocol } from './protocols/wafer2.js'
export { wxappProtocol } from './protocols/wxapp.js'
export type { ServiceTokenAlgorithm } from './service-tokens/algorithms.js'
export type { ServiceToken } from './service-tokens/claims.js'
export type { ServiceTokenClaims } from './service-tokens/issue-token.js'
export type { ServiceTokenKey, ServiceTokenKeyInfo } from './service-tokens/token-keys.js'
export type { AppInfo, AppSelector } from './sessions/app-info.js'
export type { LoginOrigin } from './sessions/login-origin.js'
export type { Session, SessionSelector, SessionSummary, UserSelector } from './sessions/session.js'
export type { SessionData } from './sessions/session-data.js'
export type { RotatedSession } from './sessions/session-rotation.js'
export {
  type CountedValue,
  type IssueResult,
  MOST_COUNTED,
  type RecordChange,
  type RecordedVisit,
  type RevocationStep,
  type RevokedBatch,
  type SessionEntry,
  type SessionStore,
  type StoredSession,
  type StoredUser,
  type StoredValue,
  type StoredVisit,
  StoreFailure,
  type TouchWindow,
  tooLate,
  USER_MARK_MS,
  type ValueAddition,
  type ValueChange,
  type ValueOutcome,
} from './sessions/store.js'
export { groupIn, type SessionAddress } from './sessions/token.js'
export type { UserInfo, UserInfoValue } from './sessions/user-info.js'
export { MemoryStore, type MemoryStoreOptions } from './stores/memory-store.js'
export type { RedisClient, RedisClusterClient } from './stores/redis-client.js'
export type { LocalCacheOptions } from './stores/redis-local-cache.js'
export {
  type ClusterSettings,
  clusterSettings,
  type RedisSettings,
  redisSettings,
} from './stores/redis-settings.js'
export { RedisStore } from './stores/redis-store.js'
export type { RedisStoreOptions } from './stores/redis-store-options.js'
export type { EncryptedData, OpenData, SignedData } from './wechat/open-data.js'
export type {
  GroupData,
  OpenDataAs,
  OpenDataKind,
  OpenDataKinds,
  OpenDataOf,
  OpenDataReader,
  UserInfoData,
  WeRunData,
} from './wechat/open-data-kinds.js'
export { douyinExchange, type ExchangeOptions, qqExchange } from './wechat/other-exchanges.js'
export type { PhoneInfo } from './wechat/phone-number.js'
