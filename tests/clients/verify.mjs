// Verifies tokens with jose:
//
//     node verify.mjs FILE
//
// FILE is JSON: issuer, audience, algorithms, leeway, keys and tokens. Prints, for each token, null where
// it is accepted and else why it is not, as JSON.

import { readFileSync } from 'node:fs'
import { createLocalJWKSet, jwtVerify } from 'jose'

const { issuer, audience, algorithms, leeway, keys, tokens } = JSON.parse(readFileSync(process.argv[2]))
const keySet = createLocalJWKSet({ keys })
const options = { issuer, audience, algorithms, clockTolerance: leeway, requiredClaims: ['exp', 'sub'] }

async function refusal(token) {
  try {
    await jwtVerify(token, keySet, options)
    return null
  } catch (error) {
    return `${error.code ?? error.name}: ${error.message}`
  }
}

const refusals = []
for (const token of tokens) refusals.push(await refusal(token))
console.log(JSON.stringify(refusals))
