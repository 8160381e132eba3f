import { WxFailure, type WxMethod, wxMethod } from './wx-method.js'

const STORAGE_LIMIT_KIB = 10 * 1024

/** The keys in the storage, and its size in KiB. */
export interface StorageInfo {
  keys: string[]
  currentSize: number
  limitSize: number
}

/** The storage of one phone. It keeps copies of values, as JSON. */
export interface WxStorage {
  /** Keeps a value under a key. */
  setStorage: WxMethod<{ key: string; data: unknown }, object>
  /** Reads a value; fails with `getStorage:fail data not found` when there is none. */
  getStorage: WxMethod<{ key: string }, { data: unknown }>
  /** Removes a value, if there is one. */
  removeStorage: WxMethod<{ key: string }, object>
  /** Removes all values. */
  clearStorage: WxMethod<object, object>
  /** Lists the keys. */
  getStorageInfo: WxMethod<object, StorageInfo>
  /** Keeps a value under a key. */
  setStorageSync: (key: string, data: unknown) => void
  /** Reads a value; `''` when there is none. */
  getStorageSync: <Value = unknown>(key: string) => Value
  /** Removes a value, if there is one. */
  removeStorageSync: (key: string) => void
  /** Removes all values. */
  clearStorageSync: () => void
  /** Lists the keys. */
  getStorageInfoSync: () => StorageInfo
}

export function createWxStorage(): WxStorage {
  const values = new Map<string, string>()

  function set(key: string, data: unknown): void {
    const text = JSON.stringify(data)
    if (text === undefined) values.delete(checkedKey(key))
    else values.set(checkedKey(key), text)
  }

  function info(): StorageInfo {
    const bytes = [...values].reduce((sum, [key, text]) => sum + Buffer.byteLength(key + text), 0)
    return { keys: [...values.keys()], currentSize: Math.ceil(bytes / 1024), limitSize: STORAGE_LIMIT_KIB }
  }

  return {
    setStorage: wxMethod('setStorage', async ({ key, data }) => {
      set(key, data)
      return {}
    }),
    getStorage: wxMethod('getStorage', async ({ key }) => {
      const text = values.get(checkedKey(key))
      if (text === undefined) throw new Error('data not found')
      return { data: JSON.parse(text) }
    }),
    removeStorage: wxMethod('removeStorage', async ({ key }) => {
      values.delete(checkedKey(key))
      return {}
    }),
    clearStorage: wxMethod('clearStorage', async () => {
      values.clear()
      return {}
    }),
    getStorageInfo: wxMethod('getStorageInfo', async () => info()),
    setStorageSync: (key, data) => orThrow('setStorageSync', () => set(key, data)),
    getStorageSync: (key) => orThrow('getStorageSync', () => JSON.parse(values.get(checkedKey(key)) ?? '""')),
    removeStorageSync: (key) => void orThrow('removeStorageSync', () => values.delete(checkedKey(key))),
    clearStorageSync: () => values.clear(),
    getStorageInfoSync: info,
  }
}

function checkedKey(key: unknown): string {
  if (typeof key === 'string' && key !== '') return key
  throw new Error('parameter error: key should be a non-empty string')
}

function orThrow<Result>(api: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw new WxFailure(api, error instanceof Error ? error.message : String(error))
  }
}
