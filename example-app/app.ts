import type { Express } from 'express'
import helmet from 'helmet'
import { type AppParts, assembleApp } from './assemble-app.js'
import { avatars } from './avatars.js'
import { CONTENT_SECURITY_POLICY } from './content-security-policy.js'
import type { Users } from './users.js'

/** What the example app works with. */
export interface ExampleParts extends AppParts {
  readonly users: Users
}

/** The example: the app behind helmet, and pictures of its users. */
export function createApp(parts: ExampleParts): Express {
  const headers = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
  })
  return assembleApp(parts, headers, [avatars(parts)])
}
