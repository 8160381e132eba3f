import type { Lifecycle } from '../../lib/flows/lifecycle.js'
import type { Sessions } from '../../lib/index.js'

const LIFECYCLE = Symbol.for('weapp-session.lifecycle')

/** Waits for what sessions write after their answers, as `close` does, and leaves them open. */
export async function untilIdle(sessions: Sessions): Promise<void> {
  const { [LIFECYCLE]: lifecycle } = sessions as { readonly [LIFECYCLE]?: Lifecycle }
  await lifecycle?.idle()
}
