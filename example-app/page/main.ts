import { el } from './elements.js'
import { intro } from './intro.js'
import { createKeyClocks } from './key-clocks.js'
import { preferredLanguage, say, speak } from './language.js'
import { createWorld } from './page-state.js'
import { createPhones, type Phones } from './phones.js'
import { createRequestLog, type PhoneName } from './request-log.js'
import { sessionIdOf } from './session-of-token.js'
import { wechatUser } from './wechat-user.js'
import { createWorldControls } from './world-controls.js'

speak(preferredLanguage())
const world = createWorld(wechatUser())
const log = createRequestLog((w) => (world.state()?.store === 'redis' ? w.lanes.store : w.lanes.memory))
const controls = createWorldControls(world, log)
const holders = new Map<string, PhoneName>()
const keys = createKeyClocks(world, (id) => holders.get(id))
const phones: Phones = createPhones({
  user: world.user,
  log,
  onSettled: () => void world.refresh(),
  onToken: () => void Promise.resolve().then(findHolders),
})
const away = el('p', { class: 'away', attrs: { role: 'status', hidden: '' }, say: (w) => w.away })

document.body.append(
  intro(),
  away,
  el('main', {}, phones.element, controls.element, log.element, keys.element),
  el('footer', { say: (w) => w.footer }),
)

async function findHolders(): Promise<void> {
  const held = await Promise.all(
    phones.all().map(async (phone) => [await sessionIdOf(phone.token()), phone.name] as const),
  )
  holders.clear()
  for (const [id, name] of held) if (id) holders.set(id, name)
  keys.update()
}

function tick(): void {
  controls.tick()
  keys.tick()
  for (const phone of phones.all()) phone.showTime(world.now())
}

world.onChange(() => {
  const isStoreUp = world.state()?.storeUp !== false
  away.hidden = world.isReachable() && isStoreUp
  say(away, (w) => (world.isReachable() ? w.storeAway : w.away))
  controls.update()
  keys.update()
  log.update()
  tick()
})
setInterval(tick, 1000)
tick()
void world.refresh()
