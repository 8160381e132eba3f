import { errorMessage } from './error-message.js'

/** The state that every page shows: whether it waits for the back end, and what went wrong. */
export interface Attempt {
  isBusy: boolean
  failure: string
}

export const idle: Attempt = { isBusy: false, failure: '' }

interface AttemptingPage {
  data: Attempt
  setData(data: Partial<Attempt>): void
}

/** Runs one action at a time on a page, and shows a message if it fails. */
export async function attempt(page: AttemptingPage, action: () => Promise<void>): Promise<void> {
  if (page.data.isBusy) return
  page.setData({ isBusy: true, failure: '' })
  try {
    await action()
  } catch (error) {
    page.setData({ failure: errorMessage(error) })
  }
  page.setData({ isBusy: false })
}
