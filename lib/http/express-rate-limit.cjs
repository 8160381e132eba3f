/** Loads express-rate-limit only when it is needed. CommonJS, because a bundler follows a literal `require`. */
module.exports = function loadRateLimit() {
  return require('express-rate-limit')
}
