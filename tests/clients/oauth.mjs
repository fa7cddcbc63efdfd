// From a bare 401 to the answer, and from a 403 to it, with oauth4webapi, an address and a path below it:
//
//     node oauth.mjs ADDRESS PATH
//
// Prints what it met on the way, as JSON.

import * as oauth from 'oauth4webapi'

const [address, path] = process.argv.slice(2)
const url = new URL(address + path)

// On loopback everything is plain http.
const insecure = { [oauth.allowInsecureRequests]: url.protocol === 'http:' }
const client = { client_id: crypto.randomUUID() }
const seen = {}

/** The answer to a call without any credential, or with this token. */
async function call(token) {
  const bare = (url, { headers: { authorization, ...headers }, ...init }) => fetch(url, { ...init, headers })
  const options = token ? insecure : { ...insecure, [oauth.customFetch]: bare }
  return await oauth.protectedResourceRequest(token ?? 'none', 'GET', url, undefined, undefined, options)
}

/** The status and the one challenge of a call that is refused. */
async function refused(token) {
  try {
    const response = await call(token)
    throw new Error(`${response.status} without a challenge`)
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error
    const [{ scheme, parameters }] = error.cause
    return { status: error.status, scheme, ...parameters }
  }
}

/** The metadata of a protected resource, which must be of this one. */
async function metadata(resource, place) {
  return await oauth.processResourceDiscoveryResponse(resource, await fetch(place))
}

/** A token of the issuer for these scopes of the API. */
async function token(issuer, resource, scopes) {
  const parameters = { scope: scopes.join(' '), resource }
  const response = await oauth.clientCredentialsGrantRequest(issuer, client, oauth.None(), parameters, insecure)
  return (await oauth.processClientCredentialsResponse(issuer, client, response)).access_token
}

seen.challenge = await refused()
seen.resource = await metadata(new URL(address), seen.challenge.resource_metadata)
const server = new URL(seen.resource.authorization_servers[0])
const discovery = { algorithm: 'oauth2', ...insecure }
const issuer = await oauth.processDiscoveryResponse(server, await oauth.discoveryRequest(server, discovery))
const whole = await token(issuer, seen.resource.resource, seen.resource.scopes_supported)
seen.status = (await call(whole)).status

// With a scope that opens nothing, and then with those that the document of the path names.
seen.denial = await refused(await token(issuer, seen.resource.resource, ['nothing:here']))
seen.path = await metadata(url, seen.denial.resource_metadata + path)
const enough = await token(issuer, seen.resource.resource, seen.path.scopes_supported)
seen.status_then = (await call(enough)).status

console.log(JSON.stringify(seen))
