import { button, el, ornament, setAttribute } from './elements.js'
import { type Saying, say } from './language.js'
import { dayAndTime, lengthOf, shortLengthOf } from './moments.js'
import type { World, WorldState } from './page-state.js'
import type { RequestLog } from './request-log.js'

/** What happens outside of the phones: time, WeChat, and the way back to the beginning. */
export interface WorldControls {
  readonly element: HTMLElement
  update(): void
  tick(): void
}

/** What the controls need of the page. */
export interface WorldControlsOptions {
  world: World
  log: RequestLog
  /** Called once the server is back at the beginning. */
  onReset: () => void
}

const DAY = 86_400
const JUMPS = [60, 600, 3600, 6 * 3600, DAY, 3 * DAY, 7 * DAY, 8 * DAY, 14 * DAY, 30 * DAY, 31 * DAY]
const AT_FIRST = JUMPS.indexOf(DAY)
/** More labels than these would run into each other. */
const LABELLED = [60, 3600, DAY, 7 * DAY, 14 * DAY, 31 * DAY]

export function createWorldControls({ world, log, onReset }: WorldControlsOptions): WorldControls {
  const clock = el('p', { class: 'world-clock' })
  const said = el('p', { class: 'world-said', attrs: { role: 'status' }, say: (w) => w.world.ready })
  let known: WorldState | undefined
  let isMending = false

  function tell(happened: Saying): void {
    log.note(happened)
    say(said, happened)
  }

  async function move(lever: 'time' | 'rotate' | 'switch' | 'reset', fields: object = {}): Promise<boolean> {
    try {
      await world.move(lever, fields)
      return true
    } catch {
      say(said, (w) => w.world.failed)
      return false
    }
  }

  const rotate = button(
    'rotate-key',
    (w) => w.world.rotate,
    async () => {
      if (await move('rotate')) tell((w) => w.world.rotated)
    },
  )
  const wechat = button(
    'switch-wechat',
    (w) => w.world.takeDown,
    () => void move('switch', { up: world.state()?.wechatUp === false }),
  )
  const reset = button(
    'reset',
    (w) => w.world.reset,
    async () => {
      if (await move('reset')) onReset()
    },
    'quiet',
  )

  const element = el(
    'section',
    { class: 'card world', label: (w) => w.world.heading },
    el('div', { class: 'card-head' }, el('h2', { say: (w) => w.world.heading }), reset),
    clock,
    el(
      'div',
      { class: 'levers' },
      timeLever((seconds) => void move('time', { seconds })),
      el('div', { class: 'lever' }, el('p', { say: (w) => w.world.rotateMeans }), rotate),
      el('div', { class: 'lever' }, el('p', { say: (w) => w.world.switchMeans }), wechat),
    ),
    said,
  )

  /** Tells what has become different, also when another page has done it. */
  function tellChanges(before: WorldState, now: WorldState): void {
    const passed = now.aheadSeconds - before.aheadSeconds
    if (passed > 0) tell((w) => w.world.passed(lengthOf(passed)))
    if (passed < 0) tell((w) => w.world.wasReset)
    if (now.wechatUp !== before.wechatUp) tell((w) => (now.wechatUp ? w.world.isUp : w.world.isDown))
  }

  /** An earlier visitor may have left WeChat down, which would look like a broken page. */
  async function mendWechat(): Promise<void> {
    isMending = true
    const isMended = await move('switch', { up: true })
    isMending = false
    if (isMended) tell((w) => w.world.foundDown)
  }

  return {
    element,
    update() {
      const told = world.state()
      if (!told) return
      if (!known && !told.wechatUp) void mendWechat()
      const state = isMending ? { ...told, wechatUp: true } : told
      if (known) tellChanges(known, state)
      known = state
      setAttribute(element, 'data-wechat', state.wechatUp ? 'up' : 'down')
      say(wechat, (w) => (state.wechatUp ? w.world.takeDown : w.world.bringBack))
    },
    tick() {
      const [now, aheadSeconds] = [world.now(), world.state()?.aheadSeconds ?? 0]
      say(clock, (w) => w.world.clock(dayAndTime(now, true), aheadSeconds ? lengthOf(aheadSeconds) : ''))
    },
  }
}

function timeLever(onPass: (seconds: number) => void): HTMLElement {
  const slider = el('input', {
    attrs: {
      id: 'time',
      type: 'range',
      min: '0',
      max: String(JUMPS.length - 1),
      step: '1',
      value: String(AT_FIRST),
    },
  })
  const chosen = el('output', { class: 'jump', attrs: { for: 'time' }, say: () => lengthOf(seconds()) })
  const ticks = JUMPS.map((jump) => {
    const tick = el('i')
    if (LABELLED.includes(jump)) say(tick, () => shortLengthOf(jump))
    return tick
  })

  function seconds(): number {
    return JUMPS[slider.valueAsNumber] ?? DAY
  }

  function show(): void {
    say(chosen, () => lengthOf(seconds()))
    slider.setAttribute('aria-valuetext', lengthOf(seconds()))
    slider.style.setProperty('--share', `${(slider.valueAsNumber / (JUMPS.length - 1)) * 100}%`)
  }
  slider.addEventListener('input', show)
  slider.addEventListener('focus', show)
  show()

  return el(
    'div',
    { class: 'lever time-lever' },
    el('label', { attrs: { for: 'time' }, say: (w) => w.world.time }),
    chosen,
    slider,
    ornament('ticks', ...ticks),
    button(
      'pass-time',
      (w) => w.world.pass,
      () => onPass(seconds()),
    ),
  )
}
