/** Loads cockatiel only when it is needed. CommonJS, because a bundler follows a literal `require`. */
module.exports = function loadCockatiel() {
  return require('cockatiel')
}
