import { findProgram, type NeededProgram } from '../support/needed-program.js'

export const chromium: NeededProgram = {
  title: 'Chromium',
  names: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
  variable: 'CHROMIUM',
  oldest: '115',
  // Without the fonts a picture of the page would show boxes in place of Chinese.
  debianPackages: ['chromium', 'fonts-noto-cjk'],
  commands: '`sudo apt-get install chromium` or `brew install --cask chromium`',
  parseVersion: (text) => /\b(?:Chromium|Google Chrome) (\d+(?:\.\d+)*)/.exec(text)?.[1],
}

/** The path of a Chromium, which is installed first where that is possible. */
export function findChromium(): string {
  return findProgram(chromium)
}
