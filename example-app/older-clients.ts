import { type Request, type Response, Router } from 'express'
import {
  type LoginRouterOptions,
  legacyUserInfo,
  loginRouter,
  requireSession,
  type Sessions,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from 'weapp-session'

/** Routes for clients of older protocols. Each `/me` responds in the form that these clients expect. */
export function olderClients(mount: Pick<LoginRouterOptions, 'limit'> & { sessions: Sessions }): Router {
  const { sessions } = mount
  const [wafer, wafer2] = [waferProtocol(), wafer2Protocol()]
  const router = Router()
  router.use('/mina_auth', loginRouter({ ...mount, protocol: waferServerProtocol() }))
  router.use('/mina', loginRouter({ ...mount, protocol: wxappProtocol() }))

  router.use('/wafer', loginRouter({ ...mount, protocol: wafer }))
  router.get('/wafer/me', requireSession({ sessions, protocol: wafer }), (req, res) => {
    res.json({ code: 0, message: 'ok', data: { userInfo: userInfoOf(req) } })
  })

  router.use('/wafer2', loginRouter({ ...mount, protocol: wafer2 }))
  router.get('/wafer2/me', requireSession({ sessions, protocol: wafer2 }), (req: Request, res: Response) => {
    res.json({ code: 0, data: userInfoOf(req) })
  })
  return router
}

function userInfoOf(req: Request) {
  return legacyUserInfo({ ...req.weapp, openid: req.openid, userInfo: req.userInfo })
}
