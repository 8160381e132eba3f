/** Loads jsonwebtoken only when it is needed. CommonJS, because a bundler follows a literal `require`. */
module.exports = function loadJsonwebtoken() {
  return require('jsonwebtoken')
}
