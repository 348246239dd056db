// The browser, and what a test does in it.

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import process from 'node:process';

const require = createRequire(new URL('../../target/browser/', import.meta.url));
const { chromium } = require('playwright-core');
const axe = require('@axe-core/playwright');
export const AxeBuilder = axe.default ?? axe.AxeBuilder ?? axe;

export async function launch() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export class Stage {
  constructor(browser, demo) {
    this.browser = browser;
    this.demo = demo;
    this.cookies = new Map();
  }

  /** Opens a page in a window of its own, as this role, and watches what the browser complains of. */
  async act({ role, scripts = true, viewport, deviceScaleFactor, locale = 'zh-CN' }, run) {
    const context = await this.browser.newContext({
      javaScriptEnabled: scripts,
      viewport: viewport ?? { width: 1280, height: 900 },
      deviceScaleFactor: deviceScaleFactor ?? 1,
      locale,
      baseURL: this.demo.gateway,
    });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      const seen = watch(page, this.demo.gateway);
      if (role) await this.signIn(page, role);
      seen.complaints.length = 0;
      await run({ page, context, demo: this.demo, stage: this, scripts, seen });
      if (seen.complaints.length > 0) throw new Error(seen.complaints.join('\n'));
    } finally {
      await context.close();
    }
  }

  /** Signs in through the page, as a person does; later windows of the same role take over its cookies. */
  async signIn(page, role) {
    const known = this.cookies.get(role);
    if (known) {
      await page.context().addCookies(known);
      return;
    }
    const { user, password } = this.demo.accounts[role];
    await page.goto('/sign-in');
    await page.fill('#user', user);
    await page.fill('#password', password);
    await page.click('main button');
    await page.waitForURL((address) => !address.pathname.startsWith('/sign-in'));
    this.cookies.set(role, await page.context().cookies());
  }
}

/** Errors, and requests that go elsewhere. A page that is refused on purpose (4xx) is no error of the browser's. */
function watch(page, origin) {
  const seen = { complaints: [], bytes: 0 };
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !/the server responded with a status of 4\d\d/.test(text)) {
      seen.complaints.push(`console: ${text}`);
    }
  });
  page.on('pageerror', (error) => seen.complaints.push(`script: ${error.message}`));
  page.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(`${origin}/`) && !address.startsWith('data:') && !address.startsWith('about:')) {
      seen.complaints.push(`a request goes to ${address}`);
    }
  });
  return seen;
}

/** Clicks twice. The second click takes the place of the first, whose way then ends: what counts is where both lead. */
export async function clickTwice(page, selector, isThere) {
  await page.dblclick(selector);
  await until('two clicks have led there', async () => isThere(new URL(page.url())));
  await page.waitForLoadState('load');
}

/** Tries until it is so. */
export async function until(what, look) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await look()) return;
    await sleep(50);
  }
  throw new Error(`it was waited in vain until ${what}`);
}

export function equal(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

export function ok(holds, what) {
  if (!holds) throw new Error(what);
}
