import { button, el, setAttribute } from './elements.js'
import { type Saying, say } from './language.js'
import { dayAndTime, lengthOf } from './moments.js'
import type { World } from './page-state.js'
import type { RequestLog } from './request-log.js'

/** What happens outside of the phones: time, and WeChat. */
export interface WorldControls {
  readonly element: HTMLElement
  update(): void
  tick(): void
}

const DAY = 86_400
const JUMPS = [60, 600, 3600, 6 * 3600, DAY, 3 * DAY, 7 * DAY, 8 * DAY, 14 * DAY, 30 * DAY, 31 * DAY]
const AT_FIRST = JUMPS.indexOf(DAY)

export function createWorldControls(world: World, log: RequestLog): WorldControls {
  const clock = el('span', { class: 'world-clock' })
  const said = el('p', { class: 'world-said', attrs: { role: 'status' }, say: (w) => w.world.ready })
  const chosen = el('output', { class: 'jump', attrs: { for: 'time' } })
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
  const seconds = () => JUMPS[slider.valueAsNumber] ?? DAY

  async function move(lever: 'time' | 'rotate' | 'switch', fields: object, happened: Saying): Promise<void> {
    try {
      await world.move(lever, fields)
      log.note(happened)
      say(said, happened)
    } catch {
      say(said, (w) => w.world.failed)
    }
  }

  function passTime(): void {
    const jump = seconds()
    void move('time', { seconds: jump }, (w) => w.world.passed(lengthOf(jump)))
  }

  const rotate = button(
    'rotate-key',
    (w) => w.world.rotate,
    () => {
      void move('rotate', {}, (w) => w.world.rotated)
    },
  )
  const wechat = button(
    'switch-wechat',
    (w) => w.world.takeDown,
    () => {
      const up = world.state()?.wechatUp === false
      void move('switch', { up }, (w) => (up ? w.world.isUp : w.world.isDown))
    },
  )

  slider.addEventListener('input', showJump)
  function showJump(): void {
    const jump = seconds()
    say(chosen, () => lengthOf(jump))
    slider.setAttribute('aria-valuetext', lengthOf(jump))
    slider.style.setProperty('--share', `${(slider.valueAsNumber / (JUMPS.length - 1)) * 100}%`)
  }
  showJump()

  const element = el(
    'section',
    { class: 'card world', label: (w) => w.world.heading },
    el('div', { class: 'card-head' }, el('h2', { say: (w) => w.world.heading }), clock),
    el(
      'div',
      { class: 'levers' },
      el(
        'div',
        { class: 'lever time-lever' },
        el('label', { attrs: { for: 'time' }, say: (w) => w.world.time }),
        chosen,
        slider,
        button('pass-time', (w) => w.world.pass, passTime, 'primary'),
      ),
      el('div', { class: 'lever' }, el('p', { say: (w) => w.world.rotateMeans }), rotate),
      el('div', { class: 'lever' }, el('p', { say: (w) => w.world.switchMeans }), wechat),
    ),
    said,
  )

  return {
    element,
    update() {
      const isDown = world.state()?.wechatUp === false
      setAttribute(element, 'data-wechat', isDown ? 'down' : 'up')
      say(wechat, (w) => (isDown ? w.world.bringBack : w.world.takeDown))
    },
    tick() {
      const now = world.now()
      say(clock, (w) => w.world.clock(dayAndTime(now, true)))
      showJump()
    },
  }
}
