import { type RequestHandler, Router } from 'express'
import multer, { MulterError } from 'multer'
import { requireSession, type Sessions } from 'weapp-session'
import type { Users } from './users.js'

const MOST_BYTES = 2 * 1024 * 1024

/** Pictures are known by their first bytes: what a client calls them is no proof. */
const PICTURES: readonly (readonly [type: string, beginsWith: RegExp])[] = [
  ['image/png', /^\x89PNG/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/webp', /^RIFF.{4}WEBP/s],
]

/** `POST /avatar` takes the picture that a user has chosen, `GET /avatars/:id` shows it to everybody. */
export function avatars({ sessions, users }: { sessions: Sessions; users: Users }): Router {
  const upload = multer({
    storage: multer.memoryStorage(),
    limits: { fileSize: MOST_BYTES, files: 1, fields: 10 },
  })
  const readForm = upload.single('avatar')
  const router = Router()

  /** Whatever is wrong with a form is the client's mistake. */
  const onePicture: RequestHandler = (req, res, next) => {
    readForm(req, res, (error: unknown) => {
      if (!error) return next()
      const isTooLarge = error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE'
      res.status(isTooLarge ? 413 : 400).json({ error: String(Object(error).message) })
    })
  }

  router.post('/avatar', requireSession({ sessions }), onePicture, (req, res) => {
    const image = req.file?.buffer
    const type = image && typeOf(image)
    if (!type)
      return void res.status(400).json({ error: 'Send a PNG, JPEG or WebP picture in the field "avatar".' })
    const { id } = users.keepAvatar({ appid: req.weapp.appid, openid: req.openid }, { type, image })
    res.json({ avatarUrl: `/avatars/${id}` })
  })

  router.get('/avatars/:id', (req, res) => {
    const avatar = users.findAvatar(req.params.id)
    if (!avatar) return void res.status(404).json({ error: 'There is no such picture.' })
    // The pages of a mini-program have another origin, or none.
    res.set({
      'cache-control': 'public, max-age=31536000, immutable',
      'cross-origin-resource-policy': 'cross-origin',
    })
    res.type(avatar.type).send(Buffer.from(avatar.image))
  })

  return router
}

function typeOf(image: Buffer): string | undefined {
  const start = image.toString('latin1', 0, 12)
  return PICTURES.find(([, beginsWith]) => beginsWith.test(start))?.[0]
}
