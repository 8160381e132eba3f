/** Does something `times` times, at most `atOnce` of it at once, and returns all results in order. */
export async function inCrowds<T>(
  times: number,
  atOnce: number,
  work: (index: number) => PromiseLike<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 0
  async function worker(): Promise<void> {
    for (let index = next++; index < times; index = next++) results[index] = await work(index)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
