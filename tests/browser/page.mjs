// Looks at the page in Chromium as a person does who has a keyboard and no mouse:
//
//     node page.mjs JSON
//
// JSON has: chromium, page (the printed link), url (the stage), issuer, api_key, and screenshots, a folder,
// where some are to be made. Prints what it saw as JSON; tests/gateway/page.rs says what that must be.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const { chromium: executablePath, page: link, url, issuer, api_key: apiKey, screenshots } = JSON.parse(process.argv[2])
const axe = readFileSync(createRequire(`${process.cwd()}/`).resolve('axe-core/axe.min.js'), 'utf8')
const { port } = new URL(link)
const viewport = { width: 1280, height: 800 }
const views = ['', 'plans', 'routes', 'send']

const seen = { console: [], html: [], forms: {}, axe: {}, others: {} }
const browser = await chromium.launch({
  executablePath,
  args: [
    // Chromium has no sandbox for root, who runs it in a container.
    ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
    '--host-resolver-rules=MAP rebound.example 127.0.0.1'
  ]
})

async function opened (path, options) {
  const context = await browser.newContext({ viewport, ...options })
  const page = await context.newPage()
  await page.goto(link + path)
  return page
}

async function request (path, headers) {
  const answer = await fetch(url + path, { headers })
  await answer.arrayBuffer()
  return answer.headers.get('x-amzn-requestid')
}

// Presses Tab until this is where the keyboard is.
async function tabTo (page, isThere, argument) {
  for (let pressed = 0; pressed < 200; pressed += 1) {
    await page.keyboard.press('Tab')
    if (await page.evaluate(isThere, argument)) return
  }
  throw new Error(`Tab does not lead to ${isThere}`)
}

async function keep (page) {
  seen.html.push(await page.content())
}

async function keyboard () {
  const page = await opened('', {})
  page.on('console', message => seen.console.push(message.text()))
  page.on('pageerror', error => seen.console.push(String(error)))
  await page.reload()
  await page.locator('#live', { hasText: 'Live' }).waitFor()
  await page.keyboard.press('Tab')
  seen.first = await page.evaluate(() => document.activeElement.textContent)

  const id = await request('/books?live=1', { authorization: `Bearer ${apiKey}` })
  const row = page.locator(`#r-${id}`)
  await row.waitFor()
  seen.row = await row.innerText()
  await page.locator('#live', { hasText: 'new request' }).waitFor()
  await page.waitForFunction(() => document.querySelector('#latency .histogram') && document.querySelector('#plans [role=meter]'))
  await keep(page)

  await tabTo(page, id => document.activeElement.closest('tr')?.id === `r-${id}`, id)
  seen.outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/trip\?id=/)
  seen.trip = await page.locator('main').innerText()
  await tabTo(page, () => document.activeElement.tagName === 'SUMMARY' && document.activeElement.textContent.includes('checks'))
  await page.keyboard.press('Enter')
  seen.checks = await page.locator('table.checks').innerText()
  await keep(page)

  for (const [downs, credential] of ['key', 'token', 'nonsense', 'none'].entries()) {
    await tabTo(page, () => document.activeElement.getAttribute('href') === 'send')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/send$/)
    await tabTo(page, () => document.activeElement.name === 'path')
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.type('/books')
    await tabTo(page, () => document.activeElement.name === 'credential')
    for (let down = 0; down < downs; down += 1) await page.keyboard.press('ArrowDown')
    const chosen = await page.evaluate(() => document.activeElement.value)
    await keep(page)
    await tabTo(page, () => document.activeElement.matches('button.primary'))
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/trip\?id=.*&sent=1/)
    const status = await page.locator('h1 .status').innerText()
    seen.forms[credential] = { chosen, status, said: await page.locator('main').innerText() }
    await keep(page)
  }
  await page.context().close()
}

// What a screen reader and weak eyes need, as far as a program can tell.
async function accessibility () {
  const id = await request('/books', { authorization: `Bearer ${apiKey}` })
  for (const colorScheme of ['light', 'dark']) {
    // The page lets no other script in.
    const page = await opened('', { colorScheme, bypassCSP: true, reducedMotion: 'reduce' })
    for (const view of [...views, `trip?id=${id}`]) {
      await page.goto(link + view)
      await page.evaluate(axe)
      const { violations, passes } = await page.evaluate(() => globalThis.axe.run())
      const name = `${view.split('?')[0] || 'requests'}, ${colorScheme}`
      seen.axe[name] = { passes: passes.length, violations: violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`) }
    }
    seen.axe[`${colorScheme} ground`] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    await page.context().close()
  }
}

async function withoutScript () {
  const page = await opened('', { javaScriptEnabled: false })
  seen.scriptless = await page.locator('#rows tr').count()
  await page.context().close()
}

// A page of another origin, which even knows the link.
async function others () {
  const attack = `<!doctype html><title>other</title>
    <form method="post" action="${link}send"><input name="path" value="/books"><input name="method" value="GET">
    <input name="credential" value="key"></form><iframe src="${link}"></iframe>`
  const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(attack))
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const page = await (await browser.newContext()).newPage()
  await page.goto(`http://127.0.0.1:${server.address().port}/`)
  for (const path of ['', 'live', '../metrics']) {
    seen.others[path] = await page.evaluate(address => fetch(address).then(() => 'read', () => 'refused'), link + path)
  }
  const frame = page.frames()[1]
  const framed = await frame.evaluate(() => document.body.innerText).catch(() => '')
  seen.others.frame = framed.includes('Requests') ? 'read' : 'refused'
  const [answer] = await Promise.all([
    page.waitForResponse(response => response.request().method() === 'POST'),
    page.evaluate(() => document.forms[0].submit())
  ])
  seen.others.form = answer.status()
  // The form leads its own page elsewhere.
  for (const [name, address] of [
    ['rebound', link.replace('127.0.0.1', 'rebound.example')],
    ['guessed', `http://127.0.0.1:${port}/`]
  ]) {
    const other = await page.context().newPage()
    seen.others[name] = (await other.goto(address)).status()
  }
  await page.context().close()
  server.close()
}

async function token (client, scope, lifetime) {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client, scope, lifetime })
  const answer = await fetch(`${issuer}/token`, { method: 'POST', body: form })
  return (await answer.json()).access_token
}

// What people will see first: a little of everything.
async function pictures () {
  const reader = { authorization: `Bearer ${await token('reader', 'books:read', 600)}` }
  const late = { authorization: `Bearer ${await token('reader', 'books:read', -600)}` }
  const key = { authorization: `ApiKey ${apiKey}` }
  const trip = await request('/books/middlemarch', reader)
  for (const [path, headers] of [['/books', reader], ['/problems', {}], ['/books/emma', key], ['/no-such-thing', {}], ['/books', reader]]) {
    await request(path, headers)
  }
  await fetch(`${url}/books`, { method: 'POST', body: '{}', headers: reader })
  await request('/books', late)
  await request('/books?status=503', key)
  await request('/books/middlemarch', reader)
  for (const colorScheme of ['light', 'dark']) {
    const page = await opened('', { colorScheme, viewport: { width: 1240, height: 720 } })
    await page.locator('#live', { hasText: 'Live' }).waitFor()
    await page.screenshot({ path: `${screenshots}/page-requests-${colorScheme}.png` })
    await page.context().close()
  }
  const page = await opened(`trip?id=${trip}`, { viewport: { width: 1100, height: 1000 } })
  await page.getByText('checks passed').click()
  await page.screenshot({ path: `${screenshots}/page-trip-light.png` })
  await page.context().close()
}

try {
  await keyboard()
  await accessibility()
  await withoutScript()
  await others()
  if (screenshots) await pictures()
  console.log(JSON.stringify(seen))
} finally {
  await browser.close()
}
