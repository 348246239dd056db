// Starts a demo and a browser, runs every suite under suites/, and ends with a line such as `12 passed, 0 failed`.
//
// A suite is a file that exports
//   pages: [{ role, path, name?, open? }]   looked at in every way of look.mjs; `open` leads there where an address alone cannot
//   tests: [{ name, role?, scripts?, run }] `run(stage)`; with scripts: 'both' it runs with JavaScript and without
// `role` is committee, operator, supervisor, or left out for somebody who has not signed in.

import { readdir } from 'node:fs/promises';
import process from 'node:process';

import { startDemo } from './demo.mjs';
import { launch, Stage } from './stage.mjs';
import { look, WAYS } from './look.mjs';

/** So many pages are looked at at once. */
const WINDOWS = 3;

const here = new URL('./suites/', import.meta.url);
const wanted = process.argv.slice(2);
const files = (await readdir(here)).filter((file) => file.endsWith('.mjs')).sort();
const chosen = files.filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)));

let passed = 0;
const failures = [];

async function attempt(name, work) {
  try {
    await work();
    passed += 1;
  } catch (error) {
    failures.push(name);
    console.error(`FAILED ${name}\n  ${String(error?.message ?? error).replaceAll('\n', '\n  ')}`);
  }
}

const demo = await startDemo();
const browser = await launch();
try {
  const stage = new Stage(browser, demo);
  for (const file of chosen) {
    const suite = await import(new URL(file, here));
    const title = file.replace('.mjs', '');
    for (const test of suite.tests ?? []) {
      const modes = test.scripts === 'both' ? [true, false] : [test.scripts ?? true];
      for (const scripts of modes) {
        const name = `${title}: ${test.name}${scripts ? '' : ' (without JavaScript)'}`;
        await attempt(name, () => stage.act({ role: test.role, scripts }, test.run));
      }
    }
    const looks = (suite.pages ?? []).flatMap((page) => WAYS.map((way) => ({ page, way })));
    const looking = async () => {
      for (let next = looks.shift(); next; next = looks.shift()) {
        const { page, way } = next;
        await attempt(`${title}: ${page.name ?? page.path} ${way.name}`, () => look(stage, page, way));
      }
    };
    // Each in a window of its own: they do not know of each other.
    await Promise.all(Array.from({ length: WINDOWS }, looking));
  }
} finally {
  await browser.close();
  await demo.stop();
}

console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
