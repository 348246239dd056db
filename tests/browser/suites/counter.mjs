// The committee's pages: the ten commonest errands, and what happens when hands are quicker than pages.

import { clickTwice, equal, ok, until } from '../stage.mjs';

const heading = async (page) => (await page.textContent('h1')).trim();

export function sample(demo, name) {
  const found = demo.samples.find((one) => one.case === name);
  if (!found) throw new Error(`the demo has no case ${name}`);
  return found.request;
}

/** What the page's main button leads to. */
export async function press(page, selector = 'main form[action^="/checks/"] .button') {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

export async function open(page, claim) {
  await Promise.all([page.waitForNavigation(), page.click(`form:has(input[value="${claim}"]) .button`)]);
}

/** Answers one question after another, up to the page that shows everything once more. */
export async function fillIn(page, demo, request) {
  const { matters } = await (await page.request.get('/v1/matters')).json();
  const claim = matters.find((one) => one.id === request.matter).claims.find((one) => one.id === request.claim);
  const people = claim.roles.map((role) => request.subjects[role]);
  const values = claim.parameters.map((parameter) => request.parameters?.[parameter.name]);
  while (!page.url().endsWith('/review')) {
    if (await page.$('#number')) {
      const { name, id_number: number } = people.shift();
      await page.fill('#name', name);
      await page.fill('#number', number);
    } else if (await page.$('#value[type=text]')) {
      await page.fill('#value', String(values.shift() ?? ''));
    } else if (await page.$('#value')) {
      await page.check(`input[value="${values.shift()}"]`);
    } else if (await page.$('#purpose')) {
      await page.check(`input[value="${request.purpose}"]`);
    } else {
      await page.check('#basis');
    }
    await press(page);
    equal(await page.$('.summary'), null, 'what is right is taken');
  }
}

/** From a matter's page to everything once more. */
async function reviewed(page, demo, name) {
  const request = sample(demo, name);
  await page.goto(`/matters/${request.matter}`);
  await open(page, `${request.matter}/${request.claim}`);
  await fillIn(page, demo, request);
  return request;
}

async function asked(page, demo, name) {
  const request = await reviewed(page, demo, name);
  await press(page, 'form[action$="/review"] .button');
  return request;
}

/** Does something in another window of the same person, and shows here where that has led. */
async function elsewhere({ page, context, demo }, work) {
  const other = await context.newPage();
  await work(other, demo);
  await page.goto(other.url());
  await other.close();
}

/** As if the page had just been opened: what is wrong with a form takes the focus. */
async function fromTheTop(page) {
  await page.evaluate(() => {
    const first = document.createElement('span');
    first.tabIndex = -1;
    document.body.prepend(first);
    first.focus();
    first.remove();
  });
}

/** From a demand over the check to the notice, in its two forms. */
function errand(text, name, outcome = '核验属实') {
  return {
    name: `${text}: from demand to notice`,
    role: 'committee',
    scripts: 'both',
    run: async ({ page, demo }) => {
      const request = sample(demo, name);
      await page.goto('/');
      await page.fill('#text', text);
      await press(page, '.ask .button');
      ok((await heading(page)).startsWith('不用开这个证明'), `the answer is first: ${await heading(page)}`);
      await open(page, `${request.matter}/${request.claim}`);
      await fillIn(page, demo, request);
      await press(page, 'form[action$="/review"] .button');
      equal(await heading(page), outcome, 'the outcome');
      await Promise.all([page.waitForNavigation(), page.click('a.button[href$="/notice"]')]);
      const paper = await page.textContent('.paper');
      for (const part of ['不是证明', text, '结果：属实', '回执编号']) ok(paper.includes(part), `the notice says ${part}`);
      const form = page.locator('form[action$="/notice.pdf"]');
      const [download] = await Promise.all([page.waitForEvent('download'), form.locator('.button:not([type=button])').click()]);
      equal(download.suggestedFilename(), 'gaozhidan.pdf', 'the PDF');
      for (const person of Object.values(request.subjects)) {
        ok(!decodeURI(page.url()).includes(person.name) && !page.url().includes(person.id_number), 'addresses hold nobody');
      }
    },
  };
}

export const pages = [
  { role: 'committee', path: '/' },
  { role: 'committee', path: '/matters/kinship' },
  { role: 'committee', path: '/matters/lost-documents' },
  { role: 'committee', path: '/matters/property' },
  { role: 'committee', path: '/matters/marital-status/notice' },
  { role: 'committee', path: '/retained/litigation-agent-recommendation' },
  { role: 'committee', path: '/results' },
  {
    role: 'committee',
    name: 'nothing was written',
    open: async ({ page }) => {
      await page.goto('/');
      await press(page, '.ask .button');
      await fromTheTop(page);
    },
  },
  {
    role: 'committee',
    name: 'what has no basis',
    open: async ({ page }) => {
      await page.goto('/');
      await page.fill('#text', '天气很好的证明');
      await press(page, '.ask .button');
    },
  },
  {
    role: 'committee',
    name: 'the notice of what has no basis',
    open: async ({ page }) => {
      await page.goto('/');
      await page.fill('#text', '天气很好的证明');
      await press(page, '.ask .button');
      await Promise.all([page.waitForNavigation(), page.click('a.button[href$="/notice"]')]);
    },
  },
  {
    role: 'committee',
    name: 'the notice of a result',
    open: (scene) => elsewhere(scene, async (page, demo) => {
      await asked(page, demo, '健在的人没有死亡记录');
      await Promise.all([page.waitForNavigation(), page.click('a.button[href$="/notice"]')]);
    }),
  },
  {
    role: 'committee',
    name: 'a question with errors',
    open: async ({ page }) => {
      await page.goto('/matters/alive');
      await open(page, 'alive/alive');
      await page.fill('#number', '123');
      await press(page);
      await fromTheTop(page);
    },
  },
  { role: 'committee', name: 'everything once more', open: (scene) => elsewhere(scene, (page, demo) => reviewed(page, demo, '夫妻')) },
  { role: 'committee', name: 'a result', open: (scene) => elsewhere(scene, (page, demo) => asked(page, demo, '子女继承')) },
  { role: 'committee', name: 'a result that is no', open: (scene) => elsewhere(scene, (page, demo) => asked(page, demo, '法院判决离婚的人：已婚')) },
  {
    role: 'committee',
    name: 'what was typed has gone',
    open: async ({ page }) => equal((await page.goto('/checks/x/1')).status(), 410, 'it has gone'),
  },
];

export const tests = [
  errand('公积金中心让开婚姻关系证明', '夫妻'),
  errand('要证明我妈是我妈', '户口在祖父母家的孩子与父母'),
  errand('证明老人还活着', '健在'),
  errand('领丧葬费要死亡证明', '去世'),
  errand('户籍证明', '户籍在辽宁省'),
  errand('单身证明', '从未结婚'),
  errand('亲属关系证明', '1996 年以前出生的人与父母'),
  errand('姓名和身份证对不上的证明', '生僻字姓名'),
  {
    name: 'what nobody is connected for, and lost documents: where to go, on paper',
    role: 'committee',
    scripts: 'both',
    run: async ({ page }) => {
      for (const [text, part] of [['名下无房证明', '不动产登记机构'], ['身份证丢了要遗失证明', '燃气经营企业']]) {
        await page.goto('/');
        await page.fill('#text', text);
        await press(page, '.ask .button');
        ok((await page.textContent('main')).includes(part), `${text}: ${part}`);
        await Promise.all([page.waitForNavigation(), page.click('a.button[href*="/notice"]')]);
        ok((await page.textContent('.paper')).includes(part), `${text}: the notice says ${part}`);
      }
    },
  },
  {
    name: 'suggestions come while somebody types, and the keyboard alone takes one',
    role: 'committee',
    run: async ({ page }) => {
      await page.goto('/');
      await page.focus('#text');
      await page.keyboard.type('证明我妈是我妈');
      await page.waitForSelector('[role=option]');
      equal(await page.getAttribute('#text', 'aria-expanded'), 'true', 'the list is open');
      await page.keyboard.press('ArrowDown');
      const active = await page.getAttribute('#text', 'aria-activedescendant');
      equal(await page.getAttribute(`#${active}`, 'aria-selected'), 'true', 'the first is chosen');
      await page.keyboard.press('Escape');
      equal(await page.getAttribute('#text', 'aria-expanded'), 'false', 'Escape closes the list');
      equal(await page.inputValue('#text'), '证明我妈是我妈', 'and leaves what was typed');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      ok(page.url().includes('/matters/kinship?draft='), page.url());
    },
  },
  {
    name: 'with the keyboard alone a question is answered',
    role: 'committee',
    scripts: 'both',
    run: async ({ page, demo }) => {
      const request = sample(demo, '健在');
      const { person } = request.subjects;
      await page.goto('/matters/alive');
      await page.focus('form:has(input[value="alive/alive"]) .button');
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      await page.focus('#name');
      await page.keyboard.type(person.name);
      await page.keyboard.press('Tab');
      await page.keyboard.type(person.id_number.toLowerCase());
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      await page.focus('#purpose');
      await page.keyboard.press('Space');
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      await page.focus('#basis');
      await page.keyboard.press('Space');
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      await page.focus('form[action$="/review"] .button');
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      equal(await heading(page), '核验属实', 'the outcome');
    },
  },
  {
    name: 'a number is shown as the card is read',
    role: 'committee',
    run: async ({ page, demo }) => {
      const request = sample(demo, '健在');
      const { person } = request.subjects;
      await page.goto('/matters/alive');
      await open(page, 'alive/alive');
      await page.fill('#number', person.id_number);
      await page.focus('#name');
      const number = person.id_number;
      equal(await page.inputValue('#number'), `${number.slice(0, 6)} ${number.slice(6, 14)} ${number.slice(14)}`, 'the groups');
    },
  },
  {
    name: 'two clicks, back, and reload ask once',
    role: 'committee',
    run: async ({ page, demo }) => {
      await reviewed(page, demo, '丧偶');
      const count = async () => (await (await page.request.get('/v1/ledger/checkpoint')).text()).split('\n')[1];
      await clickTwice(page, 'form[action$="/review"] .button', (address) => address.pathname.includes('/results/'));
      equal(await heading(page), '核验属实', 'the outcome');
      const entries = await count();
      const place = page.url();
      await page.reload();
      await page.goBack();
      await until('going back leads to the result', async () => page.url() === place);
      equal(await count(), entries, 'nothing was asked again');
    },
  },
  {
    name: 'back and reload work on a page that says what is wrong, until the next resident comes',
    role: 'committee',
    scripts: 'both',
    run: async ({ page, demo }) => {
      const request = sample(demo, '健在');
      const { person } = request.subjects;
      await page.goto('/matters/alive');
      await open(page, 'alive/alive');
      await page.fill('#name', person.name);
      await page.fill('#number', '1');
      await press(page, 'main form .button');
      const wrong = async () => {
        await page.waitForLoadState('load');
        ok((await page.title()).startsWith('有误'), 'the page says that something is wrong');
        equal(await page.inputValue('#name'), person.name, 'what was typed');
        equal(await page.inputValue('#number'), '1', 'what was wrong');
      };
      await wrong();
      await page.reload();
      await wrong();
      await page.goto('/results');
      await page.goBack();
      await wrong();
      const place = page.url();
      await fillIn(page, demo, request);
      await press(page, 'form[action="/next"] button');
      equal((await page.goto(place)).status(), 410, 'the next resident finds nothing');
    },
  },
  {
    name: 'two tabs with two residents stay apart, and the next resident finds nothing',
    role: 'committee',
    scripts: 'both',
    run: async ({ page, context, demo }) => {
      const one = (await reviewed(page, demo, '健在')).subjects.person.name;
      const tab = await context.newPage();
      const other = (await reviewed(tab, demo, '生僻字姓名')).subjects.person.name;
      await Promise.all([page.reload(), tab.reload()]);
      ok((await page.textContent('main')).includes(one) && !(await page.textContent('main')).includes(other), 'the first tab');
      ok((await tab.textContent('main')).includes(other) && !(await tab.textContent('main')).includes(one), 'the second tab');
      await press(page, 'form[action="/next"] button');
      await page.goBack();
      await page.waitForLoadState('load');
      ok(!(await page.textContent('body')).includes(one), 'going back shows nobody');
      await press(tab, 'form[action$="/review"] .button');
      equal(await heading(tab), '核验属实', 'the other tab goes on');
    },
  },
  {
    name: 'a session that ends in the middle loses nothing',
    role: 'committee',
    scripts: 'both',
    run: async ({ page, context, demo, stage }) => {
      const { person, spouse } = sample(demo, '夫妻').subjects;
      await page.goto('/matters/marital-status');
      await open(page, 'marital-status/spouses');
      await page.fill('#name', person.name);
      await page.fill('#number', person.id_number);
      await press(page);
      await page.fill('#name', spouse.name);
      await page.fill('#number', spouse.id_number);
      await context.clearCookies();
      stage.cookies.delete('committee');
      await press(page);
      ok((await page.textContent('main')).includes('刚才填写的内容还在'), 'it is told that nothing is lost');
      await page.fill('#user', demo.accounts.committee.user);
      await page.fill('#password', demo.accounts.committee.password);
      await press(page, 'main .button');
      ok(await page.$('#value'), 'the next question is there');
      await press(page);
      await page.goBack();
      await page.goto(page.url().replace(/\d+$/, '1'));
      equal(await page.inputValue('#name'), person.name, 'and what was typed before');
    },
  },
];
