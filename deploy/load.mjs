// `deploy/load`: sends requests at a rate, and says what was answered, how soon, and what to look at.
//
// A sender of its own, as clients do not wait for each other: a request is sent when it is due, whatever
// became of those before it, and its time counts from then on. Of the tools that are to be had, oha takes
// headers on the command line alone, where every user of the machine sees them; wrk has no rate; and
// autocannon (9.0.0) sends a second's requests at its beginning, and corrects its times by an interval
// that is always a millisecond.

import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const LIMIT = 35_000; // API Gateway answers within 29 s unless the quota was raised.

const HELP = `deploy/load URL --yes HOST [OPTION...]

  --yes HOST         the address's host (with its port, if it says one), typed once more
  --rate N           requests a second, of all connections together (default 20)
  --seconds N        for how long (default 30)
  --connections N    how many requests may be under way at once, the others wait (default 100)
  --method METHOD    default GET
  --body FILE        what is sent as JSON with each request
  --json FILE        writes the numbers to a file, too

KEYGATE_CREDENTIAL   a token or an API key, sent as "Authorization: Bearer" over https, or to this machine; without it none is sent

Exit code 0: no answer was a 5xx and none was missing. 1: some were. 64: the command line is wrong.`;

// What an answer of this gateway means to who sends load. docs/errors.md has all of them.
const MEANING = {
  401: "no good credential: it may have expired meanwhile",
  403: "the scopes do not open the route, or the usage key is on no plan of this stage",
  404: "no route",
  429: "beyond a rate, a burst or a quota: of the client's plan, the method, the stage or the account",
  500: "a handler failed, or an HTTP API's authorizer",
  502: "the integration failed: a crash, a malformed answer, or Lambda's concurrency is used up",
  503: "the authorizer could not decide (its log: decision \"fault\"), or Lambda throttled it, or a table did not answer",
  504: "the integration did not answer in time",
};

function wrong(text) {
  console.error(`deploy/load: ${text}\n\n${HELP}`);
  process.exit(64);
}

// As `new URL` writes a host: an IPv4 address in four decimal numbers, IPv6 in brackets.
function isLoopback(host) {
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

function read() {
  const text = (value) => ({ type: "string", default: value });
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        yes: { type: "string" }, rate: text("20"), seconds: text("30"), connections: text("100"),
        method: text("GET"), body: { type: "string" }, json: { type: "string" }, help: { type: "boolean" },
      },
    });
  } catch (error) {
    wrong(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  if (positionals.length !== 1) wrong("give one address");
  if (!URL.canParse(positionals[0])) wrong("the address is none");
  const url = new URL(positionals[0]);
  if (!["http:", "https:"].includes(url.protocol)) wrong("the address is neither http nor https");
  if (url.username || url.password) wrong("give the credential as KEYGATE_CREDENTIAL");
  if (values.yes !== url.host) wrong(`nothing was sent. If this load may go to ${url.host}, say --yes ${url.host}`);
  const [rate, seconds, connections] = ["rate", "seconds", "connections"].map((name) => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < 1) wrong(`--${name} is a whole number from 1 on`);
    return number;
  });
  const headers = { "User-Agent": "keygate-load" };
  const credential = process.env.KEYGATE_CREDENTIAL;
  if (credential && url.protocol === "http:" && !isLoopback(url.hostname)) wrong("a credential goes over https, or to this machine");
  if (credential) headers.Authorization = `Bearer ${credential}`;
  const body = values.body === undefined ? undefined : readFileSync(values.body);
  if (body) headers["Content-Type"] = "application/json";
  const { method, json } = values;
  return { url, method, headers, body, rate, seconds, connections, json };
}

// An answer's status, or what became of the request without one.
function answer({ url, method, headers, body }, agent) {
  return new Promise((settle) => {
    const failed = (error) => settle({ error: error.code ?? error.message });
    const kind = url.protocol === "https:" ? https : http;
    const request = kind.request(url, { agent, method, headers, timeout: LIMIT }, (response) => {
      response.on("error", failed).on("end", () => settle({ status: response.statusCode })).resume();
    });
    request.on("timeout", () => request.destroy(new Error(`none within ${LIMIT / 1000} s`)));
    request.on("error", failed).end(body);
  });
}

// One request first: where it is refused, load would measure refusals.
async function first(target, agent) {
  const began = performance.now();
  const { status, error } = await answer(target, agent);
  const milliseconds = Math.round(performance.now() - began);
  if (error) {
    console.error(`No load was sent, as the first request has no answer: ${error}`);
    process.exit(1);
  }
  console.log(`The first request: ${status} in ${milliseconds} ms, the connection and a cold start, if it met one, included.`);
  if (status >= 400) {
    const meaning = MEANING[status] ?? "see docs/errors.md";
    console.error(`No load was sent, as it would be answered alike. ${status}: ${meaning}`);
    process.exit(1);
  }
  return { status, milliseconds };
}

// Sends them all, each when it is due, and waits for the last answer.
async function send(target, agent) {
  const total = target.rate * target.seconds;
  const began = performance.now();
  const due = (number) => began + (1000 * number) / target.rate;
  const timed = async (number) => {
    const answered = await answer(target, agent);
    return { ...answered, milliseconds: performance.now() - due(number) };
  };
  const answers = [];
  while (answers.length < total) {
    while (answers.length < total && due(answers.length) <= performance.now()) answers.push(timed(answers.length));
    await sleep(1);
  }
  const all = await Promise.all(answers);
  return { answers: all, seconds: (performance.now() - began) / 1000 };
}

function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

function percentiles(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

function report(target, { answers, seconds }) {
  const answered = answers.filter(({ status }) => status);
  const statuses = counted(answered.map(({ status }) => status));
  const missing = counted(answers.flatMap(({ error }) => error ?? []));
  // A refusal is quick, and says nothing of how soon the others are answered.
  const served = answered.filter(({ status }) => status < 400);
  const latency = percentiles(served.map(({ milliseconds }) => milliseconds));
  const rate = answers.length / seconds;
  console.log(`\n${answers.length} requests, the last answer after ${seconds.toFixed(1)} s: ${rate.toFixed(1)} a second\n`);
  for (const [what, count] of [...statuses, ...missing.map(([error, count]) => [`no answer: ${error}`, count])]) {
    const share = ((100 * count) / answers.length).toFixed(2).padStart(6);
    console.log(`  ${String(count).padStart(8)}  ${share} %  ${what}  ${MEANING[what] ?? ""}`.trimEnd());
  }
  console.log(`\n  milliseconds   median ${latency.p50}   p90 ${latency.p90}   p99 ${latency.p99}   most ${latency.max}`);
  console.log(`  of the ${served.length} answers below 400, from when a request was due to the end of its answer\n`);
  const has = (test) => statuses.some(([status]) => test(status));
  const hints = [
    missing.length === 0 && rate < 0.95 * target.rate && `${target.rate} a second were not reached: a client as slow as this needs more --connections, or this machine is too slow`,
    has((status) => status === 429) && "429: compare the rate with the plan's RateLimit and BurstLimit, the stage's throttle and the account's",
    has((status) => status >= 500) && "5xx: `keygate why INSTANCE --stack NAME` tells of one request, and alarms of the stack should have rung",
    latency.p99 > 10 * latency.p50 && "p99 is far from the median: cold starts (Init Duration in Lambda's REPORT lines), or key set fetches and table reads of the authorizer",
    "one credential meets API Gateway's authorizer cache: the authorizer is called about once in AuthorizerCacheTtl. Load it too with a TTL of 0, or with several credentials",
    "beside these numbers: the stage's Latency and IntegrationLatency, ConcurrentExecutions and Throttles of each function, throttled reads of the tables (docs/scaling.md)",
  ];
  console.log("What to look for:");
  for (const hint of hints.filter(Boolean)) console.log(`  - ${hint}`);
  return { requests: answers.length, took: seconds, statuses: Object.fromEntries(statuses), missing: Object.fromEntries(missing), latency };
}

const target = read();
const { url, method, rate, seconds, connections } = target;
const agent = new (url.protocol === "https:" ? https : http).Agent({ keepAlive: true, maxSockets: connections });
const began = await first(target, agent);
console.log(`${rate} requests a second for ${seconds} s, up to ${connections} at once: ${rate * seconds} requests.`);
const numbers = report(target, await send(target, agent));
if (target.json) {
  const asked = { url: url.href, method, rate, seconds, connections };
  writeFileSync(target.json, JSON.stringify({ ...asked, first: began, ...numbers }, null, 2) + "\n");
}
const isFailed = Object.keys(numbers.statuses).some((status) => status >= 500) || Object.keys(numbers.missing).length > 0;
process.exit(isFailed ? 1 : 0);
