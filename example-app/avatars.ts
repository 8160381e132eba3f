import { type RequestHandler, Router } from 'express'
import multer, { MulterError } from 'multer'
import { requireSession, type Sessions } from 'weapp-session'
import type { Users } from './users.js'

const MAX_BYTES = 2 * 1024 * 1024

/** The first bytes tell what a picture is: the type that a client claims proves nothing. */
const SIGNATURES: readonly (readonly [type: string, signature: RegExp])[] = [
  ['image/png', /^\x89PNG/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/webp', /^RIFF.{4}WEBP/s],
]

/** `POST /avatar` stores the picture that a user uploads, `GET /avatars/:id` serves it to everybody. */
export function avatars({ sessions, users }: { sessions: Sessions; users: Users }): Router {
  const upload = multer({
    storage: multer.memoryStorage(),
    limits: { fileSize: MAX_BYTES, files: 1, fields: 10 },
  })
  const readForm = upload.single('avatar')
  const router = Router()

  /** Any error in a form is the client's, so it never becomes a 500. */
  const onePicture: RequestHandler = (req, res, next) => {
    readForm(req, res, (error: unknown) => {
      if (!error) return next()
      const isTooLarge = error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE'
      res.status(isTooLarge ? 413 : 400).json({ error: String(Object(error).message) })
    })
  }

  router.post('/avatar', requireSession({ sessions }), onePicture, (req, res) => {
    const image = req.file?.buffer
    const type = image && pictureTypeOf(image)
    if (!type)
      return void res.status(400).json({ error: 'Send a PNG, JPEG or WebP picture in the field "avatar".' })
    const { id } = users.saveAvatar({ appid: req.weapp.appid, openid: req.openid }, { type, image })
    res.json({ avatarUrl: `/avatars/${id}` })
  })

  router.get('/avatars/:id', (req, res) => {
    const avatar = users.findAvatar(req.params.id)
    if (!avatar) return void res.status(404).json({ error: 'There is no such picture.' })
    // The pages of a mini-program have a different origin, or none.
    res.set({
      'cache-control': 'public, max-age=31536000, immutable',
      'cross-origin-resource-policy': 'cross-origin',
    })
    res.type(avatar.type).send(Buffer.from(avatar.image))
  })

  return router
}

function pictureTypeOf(image: Buffer): string | undefined {
  const start = image.toString('latin1', 0, 12)
  return SIGNATURES.find(([, signature]) => signature.test(start))?.[0]
}
