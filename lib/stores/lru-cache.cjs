/** Loads lru-cache only when it is needed. CommonJS, because a bundler follows a literal `require`. */
module.exports = function loadLruCache() {
  return require('lru-cache')
}
