import type jwt from 'jsonwebtoken'

/** Loads jsonwebtoken, which takes as long as all of this package. */
declare function loadJsonwebtoken(): typeof jwt

export = loadJsonwebtoken
