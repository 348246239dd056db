// The operator's console: every page of it, and a bad night that shows by itself.

import { startDemo } from '../demo.mjs';
import { clickTwice, equal, ok, Stage, until } from '../stage.mjs';

const operator = (path, name) => ({ role: 'operator', path, name });

/** Questions about different people, so that none is answered from memory. */
async function load(demo, people) {
  await Promise.all(people.map(({ name, id_number }) => fetch(`${demo.gateway}/v1/verifications`, {
    method: 'POST',
    headers: { authorization: `Bearer ${demo.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      matter: 'identity', claim: 'registered-in', purpose: 'pension', parameters: { division: '21' }, max_age: '0s',
      subjects: { person: { name, id_number } },
    }),
  })));
}

async function people(demo) {
  const lines = await (await fetch(`${demo.control}/control/population`)).text();
  return lines.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter(({ died }) => died === null).slice(0, 400);
}

export const pages = [
  operator('/operator'),
  operator('/operator/departments/police'),
  operator('/operator/departments/police/close'),
  operator('/operator/departments/police/open'),
  operator('/operator/agencies'),
  operator('/operator/ledger'),
  operator('/operator/caches'),
  operator('/operator/pending'),
  operator('/operator/certificates'),
  operator('/operator/configuration'),
  operator('/operator/traces'),
  operator('/operator/drain'),
  operator('/operator/reload'),
  {
    role: 'operator',
    name: 'a trace',
    open: async ({ page, demo }) => {
      await load(demo, (await people(demo)).slice(0, 3));
      await page.goto('/operator/traces');
      await page.click('main a[href^="/operator/traces/"]');
      await page.waitForLoadState('load');
    },
  },
];

export const tests = [
  {
    name: 'a gateway that is not heard of any more is told, and nothing stays green',
    run: async ({ stage }) => {
      const own = await startDemo();
      try {
        await new Stage(stage.browser, own).act({ role: 'operator' }, async ({ page, seen }) => {
          const isLost = () => page.isVisible('.console-lost');
          for (const path of ['/operator', '/operator/departments/police']) {
            await page.goto(path);
            await until('the page keeps itself up to date', async () => {
              const at = await page.textContent('.console-at time');
              await until('it shows a later moment', async () => await page.textContent('.console-at time') !== at);
              return true;
            });
            ok(!await isLost(), 'all is well');
            const green = await page.evaluate(() => getComputedStyle(document.querySelector('.console-head')).borderLeftColor);
            own.signal('SIGSTOP');
            await until('the page says that nothing is heard', isLost);
            const head = await page.textContent('.console-head');
            const at = await page.textContent('.console-at time');
            ok(head.includes(`连不上核验网关，下面是 ${at} 的情况`), head);
            ok((await page.textContent('[role=status]')).includes('连不上'), 'it is read aloud');
            const grey = await page.evaluate(() => getComputedStyle(document.querySelector('.console-head')).borderLeftColor);
            ok(green !== grey, `the head stays ${green}`);
            own.signal('SIGCONT');
            await until('the page is well again', async () => !await isLost());
            await until('that is read aloud', async () => !(await page.textContent('[role=status]')).includes('连不上'));
          }
          await page.goto('/operator');
          own.signal('SIGKILL');
          await until('the page says that the gateway is gone', isLost);
          // The browser says so, too.
          seen.complaints = seen.complaints.filter((told) => !told.includes('net::ERR_'));
        });
      } finally {
        await own.stop();
      }
    },
  },
  {
    name: 'a department that fails shows in the open page by itself, with cause, moment and whom it hits',
    role: 'operator',
    run: async ({ page, demo }) => {
      const everybody = await people(demo);
      await page.goto('/operator');
      await page.evaluate(() => { window.isTheSamePage = true; });
      const fault = JSON.stringify({ source: 'police', operation: '*', fault: 'refuse', millis: 0 });
      equal((await fetch(`${demo.control}/control/faults`, { method: 'PUT', body: fault })).status, 200, 'the fault is set');
      try {
        await until('the page names the police', async () => {
          await load(demo, everybody.slice(0, 4));
          everybody.push(...everybody.splice(0, 4));
          return page.$('#trouble-police');
        });
        const trouble = await page.textContent('.trouble');
        for (const told of ['公安机关（户籍）', '连不上', '演示用证部门', '居民身份信息证明']) {
          ok(trouble.includes(told), `${told} is missing: ${trouble}`);
        }
        ok(await page.$('.trouble time[datetime]'), 'since when is told');
        ok(await page.evaluate(() => window.isTheSamePage), 'the page was not loaded anew');
        const example = await page.getAttribute('.trouble .traces a', 'href');
        await page.goto(example);
        ok((await page.textContent('main')).includes('police'), 'a trace of a question that it hit');
      } finally {
        await fetch(`${demo.control}/control/faults`, { method: 'DELETE' });
      }
    },
  },
  {
    name: 'a department is closed by hand and opened again, with a reason and once',
    role: 'operator',
    scripts: 'both',
    run: async ({ page }) => {
      await page.goto('/operator/departments/health/close');
      await page.click('main form .button');
      await page.waitForSelector('.summary');
      await page.goto('/operator');
      ok(!(await page.textContent('main')).includes('手工关闭：'), 'without a reason it is not done');
      await page.goBack();
      await page.fill('main textarea, main input[type=text]', '对方通知今晚停机');
      await clickTwice(page, 'main form .button', (address) => address.pathname.startsWith('/operator'));
      await page.goto('/operator');
      ok((await page.textContent('main')).includes('对方通知今晚停机'), 'the reason is on the first screen');
      await page.goto('/operator/departments/health/open');
      await page.fill('main textarea, main input[type=text]', '对方已经恢复');
      await Promise.all([page.waitForURL((address) => !address.pathname.endsWith('/open')), page.click('main form .button')]);
      await page.goto('/operator');
      ok(!(await page.textContent('main')).includes('对方通知今晚停机'), 'it is open');
    },
  },
];
