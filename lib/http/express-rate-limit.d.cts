/** Loads express-rate-limit. */
declare function loadRateLimit(): typeof import('express-rate-limit')

export = loadRateLimit
