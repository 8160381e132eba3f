import type { Express } from 'express'
import helmet from 'helmet'
import { type AppParts, assembleApp } from './assemble-app.js'
import { avatars } from './avatars.js'
import { CONTENT_SECURITY_POLICY } from './content-security-policy.js'
import type { Users } from './users.js'

export interface ExampleParts extends AppParts {
  readonly users: Users
}

/** Creates the example app: the common app with helmet and avatars. */
export function createApp(parts: ExampleParts): Express {
  const headers = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
  })
  return assembleApp(parts, headers, [avatars(parts)])
}
