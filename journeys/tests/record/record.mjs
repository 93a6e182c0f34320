// Records what Chromium does with the pages of ../pages, with redirects and with cookies: ../recordings/*.json.
//
// Needs Node 20.11, openssl, /usr/bin/chromium (or CHROMIUM=path) and the playwright-core of package.json. That is
// looked up from the current folder, so that it can be installed outside of the source tree. From the root of the
// repository:
//
//     mkdir -p target/record && cp journeys/tests/record/package.json target/record && cd target/record
//     npm install
//     node ../../journeys/tests/record/record.mjs              # or only some: forms assets redirects cookies
//
// The cases are those of the recordings themselves: what a case gives (see the functions below) stays as it is, and
// what Chromium did is written anew. To add a case, add what it gives and record.
//
// Everything stays on loopback: Chromium finds shop.test, www.shop.test, other.test and shop.co.uk at the server of
// this script and no other host at all. What is recorded is what the server received. The same Chromium gives the same
// bytes, run after run. In recordings `{4096 x}` stands for 4096 times x.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { chromium } = createRequire(path.join(process.cwd(), 'package.json'))('playwright-core');

const HERE = import.meta.dirname;
const PAGES = path.join(HERE, '..', 'pages');
const RECORDINGS = path.join(HERE, '..', 'recordings');
const HOSTS = ['shop.test', 'www.shop.test', 'other.test', 'shop.co.uk'];

// How long nothing may happen before a page counts as loaded, and before a form counts as not submitted.
const IDLE_MS = 800;
const NOTHING_MS = 1_500;

const HTML = 'text/html; charset=utf-8';
const TYPES = {
  '.html': HTML,
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.vtt': 'text/vtt',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
  '.webm': 'video/webm',
  '.mp4': 'video/mp4',
  '.ogg': 'audio/ogg',
  '.mp3': 'audio/mpeg',
  '.webmanifest': 'application/manifest+json',
};

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

// A tenth of a second of silence, which Chromium plays whatever it is called.
function silence() {
  const wave = Buffer.alloc(44 + 800, 128);
  wave.write('RIFF', 0);
  wave.writeUInt32LE(36 + 800, 4);
  wave.write('WAVEfmt ', 8);
  wave.writeUInt32LE(16, 16);
  wave.writeUInt16LE(1, 20);
  wave.writeUInt16LE(1, 22);
  wave.writeUInt32LE(8_000, 24);
  wave.writeUInt32LE(8_000, 28);
  wave.writeUInt16LE(1, 32);
  wave.writeUInt16LE(8, 34);
  wave.write('data', 36);
  wave.writeUInt32LE(800, 40);
  return wave;
}

// What an address of an asset answers: the file of its name among the pages, or something small of its kind.
function asset(request) {
  const { pathname } = new URL(request.url);
  const name = path.posix.basename(pathname);
  const ending = path.posix.extname(name);
  const headers = {
    'content-type': TYPES[ending] ?? 'image/png',
    'cache-control': pathname.startsWith('/no-store/') ? 'no-store' : 'max-age=600',
    'access-control-allow-origin': '*',
  };
  const file = /^[a-z0-9.-]+$/.test(name) && readOr(path.join(PAGES, 'assets', ending.startsWith('.woff') || ending === '.ttf' ? 'font.woff2' : name));
  if (file) return { status: 200, headers, body: file };
  if (ending === '.svg') return { status: 200, headers, body: '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>' };
  if (ending === '.vtt') return { status: 200, headers, body: 'WEBVTT\n' };
  if (ending === '.json' || ending === '.webmanifest') return { status: 200, headers, body: '{}' };
  if (/^(video|audio)/.test(headers['content-type'])) {
    const body = silence();
    if (request.headers.range === undefined) return { status: 200, headers, body };
    const range = `bytes 0-${body.length - 1}/${body.length}`;
    return { status: 206, headers: { ...headers, 'accept-ranges': 'bytes', 'content-range': range }, body };
  }
  const text = ['.html', '.css', '.js'].includes(ending);
  return { status: 200, headers, body: text ? '' : PIXEL };
}

function readOr(file) {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}

const page = (body, headers = {}) => ({ status: 200, headers: { 'content-type': HTML, ...headers }, body });
const RECEIVED = page('<!doctype html><title>Received</title>', { 'cache-control': 'no-store' });

// The server: each case puts its own `answer` here, which takes a request and gives a response.
let answer = asset;

async function receive(scheme, incoming, outgoing) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const request = {
    method: incoming.method,
    url: `${scheme}://${incoming.headers.host}${incoming.url}`,
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
  const { status, headers, body = '' } = answer(request);
  outgoing.statusCode = status;
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
  outgoing.end(body);
}

async function listen(server) {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return server.address().port;
}

function certificate() {
  const folder = mkdtempSync(path.join(tmpdir(), 'record-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(',')}`;
  execFileSync('openssl', ['req', '-x509', ...kind, '-subj', '/CN=shop.test', '-addext', names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const read = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return read;
}

const plain = http.createServer((incoming, outgoing) => receive('http', incoming, outgoing));
const secure = https.createServer(certificate(), (incoming, outgoing) => receive('https', incoming, outgoing));

const CONTEXT = { viewport: { width: 1280, height: 720 }, deviceScaleFactor: 1, locale: 'en-US', ignoreHTTPSErrors: true };

// A browser for one suite. A private window refuses the cookies of other sites, and so does Debian's Chromium, so
// cookies get a usual profile with Chromium's own setting.
async function launch(suite, ports) {
  const rules = HOSTS.flatMap((host) => [`MAP ${host}:443 127.0.0.1:${ports.secure}`, `MAP ${host}:80 127.0.0.1:${ports.plain}`]);
  const args = ['--no-sandbox', '--no-proxy-server', `--host-resolver-rules=${[...rules, 'MAP * ~NOTFOUND'].join(',')}`];
  // Chromium sends Sec-Fetch-Dest only to hosts that it trusts. Trust would change what is done with Secure cookies,
  // so only the assets are recorded with it.
  if (suite === 'assets') args.push(`--unsafely-treat-insecure-origin-as-secure=${HOSTS.map((host) => `http://${host}`).join(',')}`);
  const options = { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args };
  if (suite !== 'cookies') return chromium.launch(options);
  const profile = mkdtempSync(path.join(tmpdir(), 'record-'));
  mkdirSync(path.join(profile, 'Default'));
  const preferences = { profile: { block_third_party_cookies: false, cookie_controls_mode: 0 } };
  writeFileSync(path.join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, { ...options, ...CONTEXT });
  return {
    newContext: async () => {
      await context.clearCookies();
      return { newPage: () => context.newPage(), setDefaultTimeout: () => {}, close: () => context.pages().at(-1).close() };
    },
    version: () => context.browser().version(),
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true });
    },
  };
}

// A profile of its own for each case, so that neither cache nor cookies are shared.
async function withPage(browser, work) {
  const context = await browser.newContext(CONTEXT);
  context.setDefaultTimeout(15_000);
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
    answer = asset;
  }
}

async function until(condition, limit) {
  for (const end = Date.now() + limit; !condition() && Date.now() < end; ) await sleep(20);
}

const expand = (text) => text.replace(/\{(\d+) (.)\}/g, (_, times, what) => what.repeat(Number(times)));
const shorten = (text) => text.replace(/(.)\1{999,}/g, (run, what) => `{${run.length} ${what}}`);
// Header lines hold bytes; Node shows each as one character.
const asBytes = (text) => Buffer.from(text, 'utf8').toString('latin1');
const asText = (bytes) => Buffer.from(bytes, 'latin1').toString('utf8');
const withoutFragment = (url) => url.replace(/#.*/, '');
const isIcon = (request) => new URL(request.url).pathname === '/favicon.ico';

// Forms ------------------------------------------------------------------------------------------------------------

// Given: the page and the address where it is; the form; its button that is clicked, where `at` says, or null for Return
// in the form's first text field; values that the user gives first; the page's Content-Type if it is not UTF-8.
// Recorded: the request, or null if there was none. `body_base64` is there if the body is not UTF-8.
async function recordForm(browser, given) {
  const { name, page: file, content_type, url, form, fill, button, at } = given;
  const html = readFileSync(path.join(PAGES, 'forms', file));
  const received = [];
  let submitting = false;
  answer = (request) => {
    if (isIcon(request)) return asset(request);
    if (submitting) {
      received.push(request);
      return RECEIVED;
    }
    return request.url === withoutFragment(url) ? { status: 200, headers: { 'content-type': content_type ?? HTML }, body: html } : asset(request);
  };
  await withPage(browser, async (tab) => {
    await tab.goto(url);
    await tab.evaluate(fillIn, { form, fill: fill ?? {} });
    submitting = true;
    if (button === null) {
      await tab.evaluate(focusText, form);
      await tab.keyboard.press('Enter', { noWaitAfter: true });
    } else {
      const owner = await tab.evaluate(([form, button]) => document.querySelector(button)?.form === document.querySelector(form), [form, button]);
      if (!owner) throw new Error(`${button} is no button of ${form}`);
      await tab.click(button, { noWaitAfter: true, ...(at && { position: { x: at[0], y: at[1] } }) });
    }
    await until(() => received.length > 0, NOTHING_MS);
    await sleep(100);
  });
  if (received.length > 1) throw new Error(`${received.length} requests`);
  return { name, page: file, content_type, url, form, fill, button, at, request: received.map(submission)[0] ?? null };
}

// In the page: sets the controls' values as if the user had.
function fillIn({ form, fill }) {
  for (const [name, value] of Object.entries(fill)) {
    const controls = [...document.querySelector(form).elements].filter((control) => control.name === name);
    if (controls.length === 0) throw new Error(`no control ${name}`);
    const values = [].concat(value);
    controls.forEach((control, index) => {
      if (control.type === 'checkbox' || control.type === 'radio') {
        control.checked = typeof value === 'boolean' ? value : values.includes(control.value);
      } else if (control.localName === 'select') {
        for (const option of control.options) option.selected = values.includes(option.value);
      } else if (index < values.length) {
        control.value = values[index];
      }
    });
  }
}

// In the page: puts the cursor where Return submits the form.
function focusText(form) {
  const texts = ['text', 'search', 'tel', 'url', 'email', 'password', 'number'];
  [...document.querySelector(form).elements].find((control) => texts.includes(control.type) && !control.disabled).focus();
}

function submission(request) {
  let { 'content-type': content_type, referer, origin } = request.headers;
  let bytes = request.body;
  const boundary = /boundary=(.+)$/.exec(content_type)?.[1];
  if (boundary !== undefined) {
    content_type = content_type.replace(boundary, 'BOUNDARY');
    bytes = Buffer.from(bytes.toString('latin1').replaceAll(boundary, 'BOUNDARY'), 'latin1');
  }
  const text = bytes.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(bytes);
  const body = request.method === 'GET' ? {} : isText ? { body: text } : { body_base64: bytes.toString('base64') };
  return { method: request.method, url: request.url, content_type, ...body, referer, origin };
}

// Assets -----------------------------------------------------------------------------------------------------------

// Given: the page, the address where it is, and more headers of the answer. Recorded: each request that came until the
// page was at rest; all were GET. No page asks for an address with /no/ in it.
async function recordAssets(browser, given) {
  const { name, page: file, url, headers } = given;
  const html = readFileSync(path.join(PAGES, 'assets', file));
  const received = [];
  let last = Date.now();
  let shown = false;
  answer = (request) => {
    last = Date.now();
    if (!shown && request.url === withoutFragment(url)) {
      shown = true;
      return page(html, headers);
    }
    received.push(request);
    return asset(request);
  };
  await withPage(browser, async (tab) => {
    await tab.goto(url, { waitUntil: 'load' });
    last = Date.now();
    await until(() => Date.now() - last > IDLE_MS, 10_000);
  });
  const requests = received.map(({ method, url, headers }) => {
    if (method !== 'GET' || url.includes('/no/')) throw new Error(`${method} ${url}`);
    return { url, referer: headers.referer, dest: headers['sec-fetch-dest'] };
  });
  const key = ({ url, dest, referer }) => `${url} ${dest} ${referer}`;
  requests.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return { name, page: file, url, headers, requests };
}

// Redirects --------------------------------------------------------------------------------------------------------

// The page with the form, whose only field is q=lamp.
const START = 'http://shop.test/shop/cart/';

// Given: the form's method and action; status and Location (or null) of the answers to it and to what follows, the last
// of which is followed by a 200. Recorded: the requests that followed, and the address that Chromium shows then.
async function recordRedirect(browser, given) {
  const { name, method, action, hops } = given;
  const requests = [];
  let submitting = false;
  answer = (request) => {
    if (isIcon(request)) return asset(request);
    if (!submitting) return page(`<!doctype html><form method="${method}" action="${action}"><input type="hidden" name="q" value="lamp"><button>Go</button></form>`);
    requests.push(request);
    if (requests.length > hops.length) return RECEIVED;
    const [status, location] = hops[requests.length - 1];
    return { status, headers: { 'content-type': HTML, ...(location !== null && { location: asBytes(location) }) } };
  };
  const landed = await withPage(browser, async (tab) => {
    await tab.goto(START);
    submitting = true;
    await tab.click('button', { noWaitAfter: true });
    await until(() => tab.url() !== START, NOTHING_MS);
    await sleep(100);
    return tab.url();
  });
  const follow_ups = requests.slice(1).map(({ method, url, body, headers }) => {
    return { method, url, has_body: body.length > 0, content_type: headers['content-type'], referer: headers.referer, origin: headers.origin };
  });
  return { name, method, action, hops, follow_ups, landed };
}

// Cookies ----------------------------------------------------------------------------------------------------------

// Given: addresses that the user visits and the Set-Cookie lines of their answers; then addresses that the user visits,
// or that are asked for `by` a link, form, image or frame `on` a page. Recorded: the Cookie header of each, or null.
async function recordCookies(browser, given) {
  const { name, steps, sent } = given;
  return withPage(browser, async (tab) => {
    for (const { url, set_cookie } of steps) {
      answer = (request) => (request.url === url ? page('', { 'set-cookie': set_cookie.map((line) => asBytes(expand(line))) }) : asset(request));
      await tab.goto(url);
      await sleep(20); // so that cookies of two steps are of different age
    }
    const recorded = [];
    for (const { url, by, on } of sent) recorded.push({ url, by, on, cookie: await cookieOf(tab, url, by, on) });
    return { name, steps, sent: recorded };
  });
}

// The Cookie header of a request for `url` that the user typed, or that comes from the page `on`.
async function cookieOf(tab, url, by, on) {
  const bodies = {
    link: `<a href="${url}">Go</a>`,
    form: `<form method="post" action="${url}"><button>Go</button></form>`,
    image: `<img src="${url}" alt="">`,
    frame: `<iframe src="${url}"></iframe>`,
  };
  let seen;
  answer = (request) => {
    if (request.url === on) return page(`<!doctype html>${bodies[by]}`);
    if (request.url === url) seen ??= request;
    return isIcon(request) ? asset(request) : RECEIVED;
  };
  await tab.goto(on ?? url);
  if (by === 'link') await tab.click('a', { noWaitAfter: true });
  if (by === 'form') await tab.click('button', { noWaitAfter: true });
  if (by === 'link' || by === 'form') await tab.waitForURL(url);
  if (seen === undefined) throw new Error(`no request for ${url}`);
  return seen.headers.cookie === undefined ? null : shorten(asText(seen.headers.cookie));
}

// ------------------------------------------------------------------------------------------------------------------

const SUITES = {
  forms: recordForm,
  assets: recordAssets,
  redirects: recordRedirect,
  cookies: recordCookies,
};

// JSON that has on one line what fits there, and what holds nothing but texts and numbers.
function pretty(value, indent = '') {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const deeper = `${indent}  `;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  const items = entries.map(([key, member]) => (open === '[' ? '' : `${JSON.stringify(key)}: `) + pretty(member, deeper));
  if (items.length === 0) return open + close;
  const line = `${open} ${items.join(', ')} ${close}`;
  const flat = entries.every(([, member]) => member === null || typeof member !== 'object');
  const fits = !line.includes('\n') && !('cases' in value) && (flat || indent.length + line.length <= 160);
  return fits ? line : `${open}\n${items.map((item) => deeper + item).join(',\n')}\n${indent}${close}`;
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
const ports = { plain: await listen(plain), secure: await listen(secure) };
for (const suite of wanted) {
  const file = path.join(RECORDINGS, `${suite}.json`);
  const browser = await launch(suite, ports);
  const cases = [];
  for (const given of JSON.parse(readFileSync(file, 'utf8')).cases) {
    try {
      cases.push(await SUITES[suite](browser, given));
    } catch (error) {
      throw new Error(`${suite}: ${given.name}`, { cause: error });
    }
  }
  const recording = { chromium: browser.version(), ...(suite === 'redirects' && { page: START }), cases };
  await browser.close();
  writeFileSync(file, `${pretty(recording)}\n`);
  console.log(`${suite}: ${cases.length} cases`);
}
for (const server of [plain, secure]) {
  server.closeAllConnections();
  server.close();
}
