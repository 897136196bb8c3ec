// Signs a person in with OpenID Connect, from a program on their machine, with the library openid-client.
//
//     node sign_in.mjs ISSUER CLIENT_ID
import { createServer } from 'node:http'
import { createInterface } from 'node:readline/promises'
import { stdin, stdout } from 'node:process'
import * as oidc from 'openid-client'

const [issuer, clientId] = process.argv.slice(2)
if (!clientId) throw new Error('usage: node sign_in.mjs ISSUER CLIENT_ID')

// Plain http is for a server on this machine only.
const loopback = new URL(issuer).hostname === '127.0.0.1'
const config = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
  execute: loopback ? [oidc.allowInsecureRequests] : [],
})

// A native client listens on any port that is free (RFC 8252).
const server = createServer().listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const redirectUri = `http://127.0.0.1:${server.address().port}/callback`

const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
const expectedState = oidc.randomState()
const expectedNonce = oidc.randomNonce()
const authorizationUrl = oidc.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: 'openid profile email',
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
})
console.log(`Open this URL in a browser:\n${authorizationUrl}`)

const callback = await new Promise((resolve) => {
  server.on('request', (request, response) => {
    const url = new URL(request.url, redirectUri)
    response.setHeader('content-type', 'text/plain')
    response.end(url.pathname === '/callback' ? 'You may close this window.\n' : 'Nothing here.\n')
    if (url.pathname === '/callback') resolve(url)
  })
})
server.close()
server.closeIdleConnections()

// Checks state and iss of the answer, and signature, iss, aud, exp and nonce of the ID token.
let tokens = await oidc.authorizationCodeGrant(config, callback, {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
})
const claims = tokens.claims()
console.log(`Signed in: ${claims.sub}`)

const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
console.log(`Userinfo: ${userinfo.name} <${userinfo.email}>`)

const idToken = tokens.id_token
tokens = await oidc.refreshTokenGrant(config, tokens.refresh_token)
console.log(`Refreshed: a new access token for ${tokens.expires_in} seconds`)

const signOutUrl = oidc.buildEndSessionUrl(config, { id_token_hint: idToken })
console.log(`To sign out, open this URL in the same browser, then press Enter:\n${signOutUrl}`)
const terminal = createInterface({ input: stdin, output: stdout })
await terminal.question('')
terminal.close()

try {
  await oidc.refreshTokenGrant(config, tokens.refresh_token)
  console.log('Still signed in: the refresh token is good')
} catch (error) {
  if (error.error !== 'invalid_grant') throw error
  console.log('Signed out: the refresh token is refused')
}
