import { failureWords } from './failure-words.js'

/** What every page shows: that it waits for the back end, or what went wrong. */
export interface Attempt {
  isBusy: boolean
  failure: string
}

export const idle: Attempt = { isBusy: false, failure: '' }

interface AttemptingPage {
  data: Attempt
  setData(data: Partial<Attempt>): void
}

/** Does one thing at a time on a page, and shows a failure in words. */
export async function attempt(page: AttemptingPage, work: () => Promise<void>): Promise<void> {
  if (page.data.isBusy) return
  page.setData({ isBusy: true, failure: '' })
  try {
    await work()
  } catch (error) {
    page.setData({ failure: failureWords(error) })
  }
  page.setData({ isBusy: false })
}
