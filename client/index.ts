// The entry of the bundle; client.ts says what is public.
export * from './client.js'
