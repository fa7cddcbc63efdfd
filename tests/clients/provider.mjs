// A certified OpenID provider on a free port of loopback, with one client. It prints its address; at
// each line of standard input it publishes a new key beside the one before, signs with the new one and
// prints its kid.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// Standard output is for answers; the provider's notices are none.
console.info = console.error;

const [clientId, clientSecret, audience] = process.argv.slice(2);

let keys = [];
let answer;

function rotate(issuer) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' };
  keys = [key, ...keys.slice(0, 1)];
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    cookies: { keys: [randomUUID()] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          audience,
          scope: 'books:read books:write',
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  answer = provider.callback();
  return key.kid;
}

const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  rotate(issuer);
  console.log(issuer);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', () => console.log(rotate(issuer)));
  lines.on('close', () => process.exit());
});
