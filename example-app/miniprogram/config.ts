/** Where the back end is: what `npm start` says at the root of the repository. */
export const baseUrl = 'http://127.0.0.1:3000'
