// Puts what the server sends in the place of what is there. The server has written and escaped it; without
// this script the page shows the same when it is reloaded.

const rows = document.getElementById('rows')
const live = document.getElementById('live')
const pause = document.getElementById('pause')
const parts = ['latency', 'plans']
// A reader is told of new requests this often, however many come.
const SAID_EVERY = 5000

let events
let paused = false
let fresh = 0
let saidAt = 0
let timer

function say (words) {
  live.textContent = words
  saidAt = Date.now()
}

function sayFresh () {
  timer = undefined
  if (fresh > 0) say(`${fresh} new ${fresh === 1 ? 'request' : 'requests'}`)
  fresh = 0
}

function elements (html, within) {
  const template = document.createElement('template')
  template.innerHTML = within ? `<table><tbody>${html}</tbody></table>` : html
  return within ? [...template.content.querySelector('tbody').children] : template.content
}

function showRows (html) {
  if (!rows) return
  const limit = Number(document.getElementById('list').dataset.listed)
  for (const row of elements(html, true).reverse()) {
    const old = document.getElementById(row.id)
    if (old) {
      const hadFocus = old.contains(document.activeElement)
      old.replaceWith(row)
      if (hadFocus) row.querySelector('a').focus()
    } else {
      row.classList.add('new')
      rows.prepend(row)
      fresh += 1
    }
  }
  // One that is read just now stays.
  while (rows.children.length > limit && !rows.lastElementChild.contains(document.activeElement)) {
    rows.lastElementChild.remove()
  }
  document.getElementById('empty').hidden = rows.children.length > 0
  timer ??= setTimeout(sayFresh, Math.max(0, saidAt + SAID_EVERY - Date.now()))
}

function showPart (name, html) {
  const part = document.getElementById(name)
  if (!part) return
  const open = part.querySelector('details')?.open
  const focused = part.contains(document.activeElement) && document.activeElement.tagName
  part.replaceChildren(elements(html))
  if (open) part.querySelector('details')?.setAttribute('open', '')
  if (focused) part.querySelector(focused)?.focus()
}

function connect () {
  events = new EventSource(document.body.dataset.live)
  events.addEventListener('open', () => say('Live'))
  events.addEventListener('error', () => say('The gateway is not there; trying again.'))
  events.addEventListener('rows', ({ data }) => showRows(JSON.parse(data)))
  for (const name of parts) events.addEventListener(name, ({ data }) => showPart(name, JSON.parse(data)))
  events.addEventListener('reload', () => {
    events.close()
    say('The template has changed: reload the page.')
  })
}

pause.hidden = false
pause.addEventListener('click', () => {
  paused = !paused
  pause.textContent = paused ? 'Go on' : 'Pause'
  if (paused) {
    events.close()
    say('Paused')
  } else {
    connect()
  }
})
addEventListener('pagehide', () => events.close())
addEventListener('pageshow', ({ persisted }) => { if (persisted && !paused) connect() })
connect()
