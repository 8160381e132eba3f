import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { deviceIn } from '../../lib/protocols/user-agent.js'

const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36'

const KNOWN: Readonly<Record<string, string>> = {
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) ${WEBKIT} Mobile/15E148 MicroMessenger/8.0.44(0x18002c2a) NetType/WIFI Language/zh_CN`]:
    'iPhone, iOS 16.6, WeChat 8.0.44',
  [`Mozilla/5.0 (iPad; CPU OS 17_1_2 like Mac OS X) ${WEBKIT} Mobile/15E148 MicroMessenger/8.0.44(0x18002c2a)`]:
    'iPad, iOS 17.1.2, WeChat 8.0.44',
  [`Mozilla/5.0 (Linux; Android 13; M2012K11AC Build/TKQ1.220829.002; wv) ${CHROME} XWEB/1160065 MicroMessenger/8.0.47.2560(0x28002F50) WeChat/arm64 MiniProgramEnv/android`]:
    'M2012K11AC, Android 13, WeChat 8.0.47',
  [`Mozilla/5.0 (Linux; U; Android 9; zh-cn; MI 6 Build/PKQ1) ${CHROME} MicroMessenger/7.0.12`]:
    'MI 6, Android 9, WeChat 7.0.12',
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME}`]: 'Android 10',
  'Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 ArkWeb/4.1.6.1 Mobile MicroMessenger/8.0.50':
    'HarmonyOS 5.0, WeChat 8.0.50',
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) ${WEBKIT} wechatdevtools/1.06.2401020 MicroMessenger/8.0.5 Language/zh_CN`]:
    'WeChat DevTools 1.06.2401020',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/107.0.0.0 MicroMessenger/7.0.20.1781(0x6700143B) MiniProgramEnv/Windows WindowsWechat/WMPF':
    'Windows, WeChat',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) MicroMessenger/6.8.0(0x16080000) MiniProgramEnv/Mac MacWechat/WMPF':
    'Mac, WeChat',
}

const deviceOf = (...sent: string[]) =>
  deviceIn({
    ...{ mount: '/login', peer: undefined, method: 'POST', params: {}, query: {}, body: undefined },
    headers: sent.length > 0 ? { 'user-agent': sent } : {},
  })

describe('the device in a User-Agent', () => {
  for (const [userAgent, device] of Object.entries(KNOWN)) {
    it(`is "${device}"`, () => {
      expect(deviceOf(userAgent)).to.equal(device)
    })
  }

  it('is unknown where no phone calls, or the header is missing or empty', () => {
    for (const sent of [
      '',
      'node',
      'curl/8.4.0',
      'python-requests/2.31.0',
      'MicroMessenger/8.0.44',
      'Android',
    ])
      expect(deviceOf(sent)).to.equal(undefined)
    expect(deviceOf()).to.equal(undefined)
  })

  it('is read from the first header only, and from no more than its beginning', () => {
    expect(deviceOf('node', Object.keys(KNOWN)[0] ?? '')).to.equal(undefined)
    expect(deviceOf(' '.repeat(2000) + Object.keys(KNOWN)[0])).to.equal(undefined)
  })

  it('is short, whatever is sent', () => {
    const parts = fc.constantFrom(
      '(iPhone',
      ' OS ',
      '16_6',
      'Android ',
      '13',
      '; ',
      'x'.repeat(99),
      'wechatdevtools/',
      ')',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string()), { maxLength: 60 }), (sent) => {
        expect(deviceOf(sent.join(''))?.length ?? 0).to.be.below(200)
      }),
    )
  })
})
