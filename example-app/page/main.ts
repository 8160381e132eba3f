import { el } from './elements.js'
import { intro } from './intro.js'
import { createKeyClocks } from './key-clocks.js'
import { preferredLanguage, say, sayAgain, speak } from './language.js'
import { createNickname } from './nickname.js'
import { createWorld } from './page-state.js'
import { createPhones, type Phones } from './phones.js'
import { createRequestLog, type PhoneName } from './request-log.js'
import { sessionIdOf } from './session-of-token.js'
import { createSourceView } from './source-view.js'
import { forgetVisit } from './storage.js'
import { onOtherUser, wechatUser } from './wechat-user.js'
import { createWorldControls } from './world-controls.js'

/** Set by the build: the published package has no sources to link to, and so not the view of them. */
declare const HAS_SOURCES: boolean

speak(preferredLanguage())
const world = createWorld(wechatUser())
const nickname = createNickname()
const sources = HAS_SOURCES ? createSourceView() : undefined
const log = createRequestLog(
  (w) => (world.state()?.store === 'redis' ? w.lanes.store : w.lanes.memory),
  sources,
)
const controls = createWorldControls({ world, log, onReset: startAgain })
const holders = new Map<string, PhoneName>()
/** How many searches for the holders are under way. */
let searches = 0
const keys = createKeyClocks({ world, nickname, holderOf: (id) => holders.get(id) })
const phones: Phones = createPhones({
  user: world.user,
  nickname,
  log,
  onSettled: () => void world.refresh(),
  onToken: () => void Promise.resolve().then(findHolders),
})
const warning = el('p', { class: 'warning', attrs: { role: 'status', hidden: '' } })

document.body.append(
  intro(),
  warning,
  el('main', {}, phones.element, el('div', { class: 'side' }, keys.element, controls.element), log.element),
  el('footer', { say: (w) => w.footer }),
  ...(sources ? [sources.element] : []),
)

async function findHolders(): Promise<void> {
  searches += 1
  const held = await Promise.all(
    phones.all().map(async (phone) => [await sessionIdOf(phone.token()), phone.name] as const),
  )
  searches -= 1
  if (searches > 0) return
  holders.clear()
  for (const [id, name] of held) if (id) holders.set(id, name)
  keys.update()
  await world.refresh()
}

/** A phone learns only by a request that its session has ended. The page knows it before. */
function showEnded(): void {
  const state = world.state()
  if (!state?.storeUp || searches > 0) return
  const live = state.sessions.map(({ id }) => holders.get(id))
  const known = [...holders.values()]
  for (const phone of phones.all()) phone.showEnded(known.includes(phone.name) && !live.includes(phone.name))
}

/** Says what keeps people from logging in, as the page would look broken otherwise. */
function showWarning(): void {
  const state = world.state()
  const isWechatDown = state?.wechatUp === false
  warning.hidden = world.isReachable() && state?.storeUp !== false && !isWechatDown
  say(warning, (w) => {
    if (!world.isReachable()) return w.away
    return isWechatDown ? w.wechatDown : w.storeAway
  })
}

function startAgain(): void {
  forgetVisit()
  location.reload()
}

function tick(): void {
  controls.tick()
  keys.tick()
  for (const phone of phones.all()) phone.showTime(world.now())
}

world.onChange(() => {
  showWarning()
  showEnded()
  controls.update()
  keys.update()
  log.update()
  tick()
})
nickname.onChange(() => sayAgain(document.body))
onOtherUser(() => location.reload())
setInterval(tick, 1000)
tick()
void world.refresh()
