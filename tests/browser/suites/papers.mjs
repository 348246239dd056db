// Papers that are printed from the browser: each is one A4 page, however much stands on it.

import { equal, ok } from '../stage.mjs';
import { fillIn, open, press, sample } from './counter.mjs';

/** As long as anything that may be typed. */
const BY = '沈阳市和平区某某街道办事处公共服务中心便民服务大厅第三综合受理窗口'.repeat(3).slice(0, 100);
const BASIS = '说是按照上级单位的内部规定第三条第二款办理的'.repeat(6).slice(0, 120);
const SAID = '到社区开一个证明，写清楚这件事，还要写清楚家里的情况，盖上章再拿回来'.repeat(4).slice(0, 120);

/** One case for each outcome, and for each kind of people and parameters. */
const CASES = ['夫妻', '法院判决离婚，民政部门尚不知道', '丧偶后再婚：丧偶', '法院判决离婚的人：已婚', '被收养的孩子与生父母', '被收养的孩子与养父母',
  '同名同姓的两个人不是一家', '昨天在医院去世，公安尚不知道', '健在的人没有死亡记录', '姓名与号码不一致', '裁判文书在纸质档案中，法院需要时间',
  '子女继承', '有两个子女，不是三个', '户籍在辽宁省'];

/** How many pages the browser prints, and the smallest type on them in points. */
async function printed(page) {
  const pdf = await page.pdf({ preferCSSPageSize: true });
  const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length;
  await page.emulateMedia({ media: 'print' });
  const smallest = await page.evaluate(() => {
    const sizes = [...document.querySelectorAll('.paper *')].map((one) => Number.parseFloat(getComputedStyle(one).fontSize));
    return Math.min(...sizes) * 0.75;
  });
  await page.emulateMedia({ media: null });
  return { pages, smallest };
}

async function isOnePage(page, what) {
  const { pages, smallest } = await printed(page);
  equal(pages, 1, `the pages of ${what}`);
  ok(smallest >= 8.99, `the type of ${what} is ${smallest} points`);
}

/** Says all that can be said of a demand; its draft's id. */
async function demand(page, text, by = BY, basis = BASIS) {
  await page.goto('/');
  await page.evaluate(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
  await page.fill('#text', text);
  await page.fill('#by', by);
  await page.fill('#basis', basis);
  await press(page, '.ask .button');
  return new URL(page.url()).pathname.split('/').pop();
}

async function everyMatter(page) {
  const { matters } = await (await page.request.get('/v1/matters')).json();
  const draft = await demand(page, SAID);
  for (const { id } of matters) {
    await page.goto(`/matters/${id}/notice?draft=${draft}`);
    await isOnePage(page, id);
  }
  for (const [text, basis] of [['天气很好的证明', ''], [`天气很好的证明，${SAID}`, ''], [`天气很好的证明，${SAID}`, BASIS]]) {
    const other = await demand(page, text, BY, basis);
    await page.goto(`/found/${other}/notice`);
    await isOnePage(page, `what has no basis: ${text}`);
  }
}

async function ofCase(page, demo, name) {
  const request = sample(demo, name);
  const draft = await demand(page, SAID);
  await page.goto(`/matters/${request.matter}?draft=${draft}`);
  await open(page, `${request.matter}/${request.claim}`);
  await fillIn(page, demo, request);
  await press(page, 'form[action$="/review"] .button');
  await Promise.all([page.waitForNavigation(), page.click('a.button[href$="/notice"]')]);
  await isOnePage(page, name);
  // The same in English: nothing is asked again for it.
  await press(page, '.languages button[value="en"]');
  equal(await page.getAttribute('html', 'lang'), 'en', 'the language');
  await isOnePage(page, `${name} (en)`);
  await press(page, '.languages button[value="zh-CN"]');
}

async function everyOutcome(page, demo) {
  const complaints = [];
  for (const name of CASES) {
    await ofCase(page, demo, name).catch((error) => complaints.push(`${name}: ${error.message}`));
  }
  equal(complaints.join('\n'), '', 'all outcomes');
}

export const tests = [
  ...['zh-CN', 'en'].map((locale) => ({
    name: `the notice of every matter is one page (${locale})`,
    run: ({ stage }) => stage.act({ role: 'committee', locale }, ({ page }) => everyMatter(page)),
  })),
  {
    name: 'the notice of every outcome is one page in both languages',
    role: 'committee',
    run: ({ page, demo }) => everyOutcome(page, demo),
  },
];
