// What holds of every page, whichever it is.

import { AxeBuilder, equal, ok } from './stage.mjs';

/** The ways in which each page is looked at. 200 % zoom halves what fits into a window. */
export const WAYS = [
  { name: 'on a desk', viewport: { width: 1280, height: 900 }, axe: true, keys: true },
  { name: 'on a phone of 360 px', viewport: { width: 360, height: 740 }, axe: true },
  { name: 'at 200 % zoom', viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
  { name: 'without JavaScript', viewport: { width: 360, height: 740 }, scripts: false },
  { name: 'in English', viewport: { width: 360, height: 740 }, locale: 'en-GB', axe: true },
];

const MOST_BYTES = 60_000;

export async function look(stage, { role, path, open }, way) {
  await stage.act({ role, ...way }, async (scene) => {
    const { page } = scene;
    let bytes = 0;
    // Of the pages on the way there, the last one counts.
    page.on('request', (request) => {
      if (request.isNavigationRequest() && request.redirectedFrom() === null) bytes = 0;
    });
    page.on('response', async (response) => {
      const size = await response.request().sizes().catch(() => undefined);
      bytes += (size?.responseBodySize ?? 0) + (size?.responseHeadersSize ?? 0);
    });
    if (open) await open(scene);
    else equal((await page.goto(path)).status(), 200, `${path} answers`);
    await page.waitForLoadState('load');
    ok(bytes < MOST_BYTES, `the page weighs ${bytes} bytes`);
    const found = await page.evaluate(inspect);
    ok(found.problems.length === 0, found.problems.join('\n'));
    equal(found.language, way.locale === 'en-GB' ? 'en' : 'zh-CN', 'the language of the page');
    if (way.keys) await walk(page);
    if (way.axe) await hold(page);
  });
}

/** axe finds nothing. */
async function hold(page) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const told = violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html}`));
  ok(told.length === 0, told.join('\n'));
}

/** With the tab key alone everything is reached, in order, and what has the focus is seen. The skip link is first. */
async function walk(page) {
  const count = await page.evaluate(() => document.querySelectorAll(
    'a[href], button, input:not([type=hidden]):not([tabindex="-1"]), select, textarea, summary').length);
  const reached = new Set();
  for (let presses = 0; presses < count + 5; presses += 1) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      element.dataset.walked ??= String(Math.random());
      const style = getComputedStyle(element);
      const isSeen = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none';
      return { id: element.dataset.walked, html: element.outerHTML.slice(0, 120), isSeen, isSkip: element.className === 'skip' };
    });
    if (!focus) break;
    if (reached.size === 0) ok(focus.isSkip, `the first thing is not the skip link: ${focus.html}`);
    ok(focus.isSeen, `nobody sees that this has the focus: ${focus.html}`);
    reached.add(focus.id);
  }
  // Of radio buttons that belong together the tab key reaches one.
  const radios = await page.evaluate(() => {
    const groups = new Map();
    for (const radio of document.querySelectorAll('input[type=radio]')) groups.set(radio.name, (groups.get(radio.name) ?? 0) + 1);
    return [...groups.values()].reduce((sum, size) => sum + size - 1, 0);
  });
  const hidden = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea')]
    .filter((element) => element.closest('details:not([open])') || element.disabled).length);
  ok(reached.size >= count - radios - hidden, `the tab key reaches ${reached.size} of ${count} things`);
}

/** Runs in the page. */
function inspect() {
  const problems = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.body.querySelectorAll('*')].find((element) => element.getBoundingClientRect().right > root.clientWidth + 1);
    problems.push(`it scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}: ${wide?.outerHTML.slice(0, 120)}`);
  }
  if (document.querySelectorAll('h1').length !== 1) problems.push(`it has ${document.querySelectorAll('h1').length} h1`);
  if (document.querySelectorAll('main').length !== 1) problems.push('it has no main, or several');
  const isShown = (element) => element.getClientRects().length > 0 && !element.closest('.hidden, .skip');
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const small = new Set();
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !isShown(parent) || parent.closest('svg, [aria-hidden=true]')) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < 18) small.add(`a text of ${size}px: ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  problems.push(...small);
  for (const element of document.querySelectorAll('button, .button, input:not([type=hidden]), select, textarea, summary')) {
    if (!isShown(element)) continue;
    const target = element.closest('.choice') ?? element;
    const { height } = target.getBoundingClientRect();
    if (height < 44) problems.push(`too low for a thumb, ${height}px: ${element.outerHTML.slice(0, 120)}`);
  }
  for (const element of document.querySelectorAll('[hidden]')) {
    if (element.getClientRects().length > 0) problems.push(`hidden, and shown: ${element.outerHTML.slice(0, 120)}`);
  }
  for (const element of document.querySelectorAll('td, th, dd, li, p')) {
    const text = element.innerText.replace(/\s/g, '');
    if (!isShown(element) || text.length < 9 || element.querySelector('p, ul, dl, table')) continue;
    const range = document.createRange();
    range.selectNodeContents(element);
    const lines = range.getBoundingClientRect().height / parseFloat(getComputedStyle(element).lineHeight);
    if (lines > 5 && text.length / lines < 3) problems.push(`crushed to ${Math.round(lines)} lines: ${text.slice(0, 60)}`);
  }
  const inline = document.querySelectorAll('[style], style, script:not([src]), [onclick], [onsubmit], [onload]');
  if (inline.length > 0) problems.push(`inline style or script: ${inline[0].outerHTML.slice(0, 120)}`);
  return { problems, language: root.lang };
}
