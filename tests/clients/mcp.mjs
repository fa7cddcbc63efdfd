// Calls a tool of an MCP server with the MCP SDK's client, which finds the issuer by itself:
//
//     node mcp.mjs ADDRESS GRANT TOOL [TOKEN]
//
// GRANT is client_credentials, or authorization_code for a client that registers by itself and sends a
// browser. TOKEN is one that the client has already. Prints what the server said, as JSON.

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const [address, grant, tool, token] = process.argv.slice(2)

/** A client of the code grant whose browser is fetch: the issuer sends it back at once. */
class Browser {
  redirectUrl = 'http://127.0.0.1:1/callback'
  clientMetadata = {
    client_name: 'a client in the tests',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }

  clientInformation = () => this.client
  saveClientInformation = (client) => void (this.client = client)
  tokens = () => this.granted
  saveTokens = (tokens) => void (this.granted = tokens)
  codeVerifier = () => this.verifier
  saveCodeVerifier = (verifier) => void (this.verifier = verifier)

  async redirectToAuthorization(url) {
    const back = await fetch(url, { redirect: 'manual' })
    this.code = new URL(back.headers.get('location')).searchParams.get('code')
  }
}

async function connect(authProvider) {
  const client = new Client({ name: 'a client in the tests', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(address), { authProvider })
  try {
    await client.connect(transport)
    return client
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
  }
  await transport.finishAuth(authProvider.code)
  return await connect(authProvider)
}

const provider =
  grant === 'client_credentials'
    ? new ClientCredentialsProvider({ clientId: crypto.randomUUID(), clientSecret: 'any' })
    : new Browser()
if (token) provider.saveTokens({ access_token: token, token_type: 'Bearer' })
const client = await connect(provider)
const { tools } = await client.listTools()
const { content } = await client.callTool({ name: tool, arguments: {} })
console.log(
  JSON.stringify({
    server: client.getServerVersion().name,
    tools: tools.map(({ name }) => name),
    client_id: provider.clientInformation().client_id,
    answer: content.map(({ text }) => text).join('\n'),
  }),
)
await client.close()
