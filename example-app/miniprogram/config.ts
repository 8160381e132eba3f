/** The URL of the back end, as printed by `npm start` at the root of the repository. */
export const baseUrl = 'http://127.0.0.1:3000'
