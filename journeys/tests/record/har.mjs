// Records visits to the demo shop as HAR files, with Chromium.
//
//   doorbuster demo &
//   cd target/record && npm install playwright-core@1.65.1 && node ../../journeys/tests/record/har.mjs http://127.0.0.1:8091
//
// They are written to journeys/tests/recordings; the journeys that are imported from them are walked in tests/faces.rs.

import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { chromium } = createRequire(join(process.cwd(), 'x.js'))('playwright-core');
const shop = process.argv[2];
const folder = new URL('../recordings/', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'har-'));

const visits = {
  async boutique(page) {
    await page.goto(`${shop}/boutique/`);
    await page.fill('#login input[name=user]', 'felix');
    await page.fill('#login input[name=password]', 'secret-felix');
    await page.click('#login button');
    await page.waitForTimeout(1200);
    await page.goto(`${shop}/boutique/list`);
    await page.click('a.product');
    await page.selectOption('#buy select[name=size]', 'l');
    await page.check('#buy input[name=gift]');
    await page.click('#buy button[value=cart]');
    await page.waitForTimeout(800);
    await page.click('#checkout button');
    const address = { name: 'A Person', email: 'person@example.com', street: '1 High Street', city: 'Leeds', postcode: 'LS1 1AA', country: 'GB' };
    for (const [name, value] of Object.entries(address)) await page.fill(`#address [name=${name}]`, value);
    await page.click('#address button');
    await page.click('#delivery button');
    await page.fill('#payment [name=card]', '4242424242424242');
    await page.click('#payment button');
    await page.waitForSelector('#order-number');
  },
  async checkout(page) {
    await page.goto(`${shop}/`);
    await page.click('a.category');
    await page.click('a.product');
    await page.waitForTimeout(600);
    await page.click('#add-to-cart button');
    await page.click('#to-checkout');
    const address = { name: 'A Person', email: 'person@example.com', street: '1 High Street', city: 'London', postcode: 'E1 6AN' };
    for (const [name, value] of Object.entries(address)) await page.fill(`#address [name=${name}]`, value);
    const country = page.locator('#address [name=country]');
    await ((await country.evaluate((element) => element.tagName)) === 'SELECT' ? country.selectOption('GB') : country.fill('GB'));
    await page.click('#address button');
    await page.check('#delivery input[value=standard]');
    await page.click('#delivery button');
    await page.fill('#payment [name=card]', '4242424242424242');
    await page.click('#payment button');
    await page.waitForSelector('#order-number');
  },
};

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const [name, visit] of Object.entries(visits)) {
  const path = join(scratch, `${name}.har`);
  const context = await browser.newContext({ recordHar: { path, content: 'embed' }, viewport: { width: 1280, height: 720 } });
  await visit(await context.newPage());
  await context.close();
  const har = JSON.parse(readFileSync(path, 'utf8'));
  for (const entry of har.log.entries) {
    // What is not text is not looked at, and large.
    if (!/json|html|text|xml|urlencoded/.test(entry.response.content.mimeType ?? '')) delete entry.response.content.text;
    if (/javascript|css/.test(entry.response.content.mimeType ?? '')) delete entry.response.content.text;
  }
  writeFileSync(join(folder, `${name}.har`), `${JSON.stringify(har, null, 1)}\n`);
}
await browser.close();
