// The entry of the bundle; what is public stands in client.ts.
export * from './client.js'
