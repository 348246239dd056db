// Signing in and out.

import { equal, ok, until } from '../stage.mjs';

const title = async (page) => (await page.title()).split(' · ')[0];

export const pages = [
  { path: '/sign-in' },
  {
    name: 'a form with errors',
    open: async ({ page }) => {
      await page.goto('/sign-in');
      await page.click('main button');
      await page.waitForSelector('.summary');
    },
  },
  { role: 'committee', path: '/account' },
  { role: 'operator', path: '/account/password' },
  {
    name: 'what is not there',
    open: async ({ page }) => equal((await page.goto('/nothing-here')).status(), 404, 'it is not there'),
  },
  {
    name: 'what is another role\'s', role: 'supervisor',
    open: async ({ page }) => equal((await page.goto('/sign-out')).status(), 405, 'it is refused'),
  },
];

export const tests = [
  {
    name: 'with the keyboard alone somebody signs in and out',
    scripts: 'both',
    run: async ({ page, demo }) => {
      const { user, password } = demo.accounts.operator;
      await page.goto('/account/password');
      equal(await title(page), '登录', 'whoever is not signed in is asked to');
      await page.focus('#user');
      await page.keyboard.type(user);
      await page.keyboard.press('Tab');
      await page.keyboard.type(password);
      await page.keyboard.press('Enter');
      await page.waitForURL('**/account/password');
      await page.focus('header button');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/sign-in');
      await page.goto('/account');
      equal(await title(page), '登录', 'after signing out');
    },
  },
  {
    name: 'what is wrong is told above, beside, and leads to its field',
    scripts: 'both',
    run: async ({ page }) => {
      await page.goto('/sign-in');
      await page.fill('#user', 'somebody');
      await page.click('main button');
      await page.waitForSelector('.summary');
      ok((await page.title()).startsWith('有误：'), 'the title says first that something is wrong');
      equal(await page.inputValue('#user'), 'somebody', 'what was typed is there');
      equal(await page.getAttribute('#password', 'aria-invalid'), 'true', 'the field is marked');
      ok((await page.getAttribute('#password', 'aria-describedby')).includes('password-error'), 'the field names its error');
      await page.click('.summary a');
      await until('the field has the focus', () => page.evaluate(() => document.activeElement.id === 'password'));
    },
  },
  {
    name: 'the back button after signing out shows nothing',
    role: 'supervisor',
    run: async ({ page, stage }) => {
      stage.cookies.delete('supervisor');
      await page.goto('/account');
      await page.click('header button');
      await page.waitForURL('**/sign-in');
      await page.goBack();
      await page.waitForLoadState('load');
      equal(await title(page), '登录', 'the page before is asked for anew');
    },
  },
  {
    name: 'a language is chosen and stays',
    scripts: 'both',
    run: async ({ page }) => {
      await page.goto('/sign-in');
      await page.click('footer button[lang=en]');
      await until('the page speaks English', async () => (await title(page)) === 'Sign in');
      await page.goto('/nothing-here');
      equal(await page.getAttribute('html', 'lang'), 'en', 'the language of another page');
    },
  },
];
