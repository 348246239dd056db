// Improper demands, and the transitional rule's checklist.

import { equal, ok } from '../stage.mjs';

async function press(page) {
  await Promise.all([page.waitForNavigation(), page.click('main form button.button')]);
}

/** Records a demand, and is at its page then. */
async function record(page) {
  await page.goto('/demands/new?matter=kinship');
  await page.fill('#agency', '某某银行沈阳和平支行');
  await page.check('input[name=kind][value=service]');
  await page.check('input[name=said][value=system-asks]');
  await page.fill('#on', '2026-11-20');
  await page.fill('#superior', '某某银行辽宁省分行');
  await press(page);
}

async function begin(page, matter = 'business-premises') {
  await page.goto(`/deliberations/new?matter=${matter}`);
  await press(page);
  return new URL(page.url()).pathname.replace(/\/[a-z]+$/, '');
}

/** Up to the page that shows everything once more. */
async function answered(page) {
  const place = await begin(page);
  const answers = [['need', 'party-demands-it'], ['papers', 'no'], ['duties', 'yes'], ['check', 'not-asked'],
    ['verified', 'on-the-spot'], ['scope', 'everybody'], ['risk', 'possible']];
  for (const [question, answer] of answers) {
    await page.goto(`${place}/${question}`);
    await page.check(`input[name=answer][value=${answer}]`);
    await press(page);
  }
  await page.goto(`${place}/deliberation`);
  await page.check('input[name=resolved][value=agreed]');
  await page.fill('#on', '2026-11-20');
  await page.check('input[name=form_of][value=council]');
  await page.fill('#present', '21');
  await page.fill('#agreed', '15');
  await press(page);
  await page.goto(`${place}/precautions`);
  await page.check('input[name=answer][value=named-purpose]');
  await press(page);
  await page.goto(`${place}/signature`);
  await page.fill('#signer', '赵建国');
  await page.check('input[name=office][value=both]');
  await page.fill('#approver', '赵建国');
  await page.fill('#keeper', '钱秀英');
  await press(page);
  return place;
}

const worker = (name, open) => ({ role: 'committee', name, open: ({ page }) => open(page) });

export const pages = [
  { role: 'committee', path: '/demands' },
  { role: 'committee', path: '/demands/new?matter=kinship' },
  worker('a demand with errors', async (page) => {
    await page.goto('/demands/new?matter=kinship');
    await page.click('main form button.button');
    await page.waitForSelector('.summary');
  }),
  worker('a demand', record),
  worker('a letter', async (page) => {
    await record(page);
    await page.goto(`${page.url()}/letter`);
  }),
  worker('a step', async (page) => {
    await record(page);
    await page.goto(`${page.url()}/letter-sent`);
  }),
  { role: 'supervisor', path: '/demands' },
  { role: 'supervisor', path: '/demands/figures?year=2026' },
  { role: 'committee', path: '/deliberations' },
  { role: 'committee', path: '/deliberations/new?matter=dog-keeping' },
  worker('the first question', (page) => begin(page)),
  worker('a question with errors', async (page) => {
    await begin(page);
    await page.click('main form button.button');
    await page.waitForSelector('.summary');
  }),
  worker('who deliberated', async (page) => page.goto(`${await begin(page)}/deliberation`)),
  worker('everything once more', answered),
  worker('the record of a deliberation', async (page) => {
    await answered(page);
    await press(page);
  }),
];

export const tests = [
  {
    name: 'a demand is recorded, its letter sent and answered, and the supervisor counts it',
    role: 'committee',
    scripts: 'both',
    run: async ({ page, stage, scripts }) => {
      await record(page);
      const place = new URL(page.url()).pathname;
      await page.goto(`${place}/letter-sent`);
      await page.click('main form button.button');
      await page.waitForLoadState('load');
      await page.goto(`${place}/answered`);
      await page.check('input[value=upholds]');
      await page.fill('#note', '书面答复，不纠正');
      await press(page);
      equal(new URL(page.url()).pathname, place, 'back at the record');
      ok((await page.textContent('main')).includes('书面答复，不纠正'), 'the step is there');
      await stage.act({ role: 'supervisor', scripts }, async (above) => {
        await above.page.goto('/demands/figures?year=2026');
        ok((await above.page.textContent('main')).includes('某某银行沈阳和平支行'), 'the supervisor sees the agency');
      });
    },
  },
  {
    name: 'the checklist ends in a record with its grounds, and a wrong turn in what to do instead',
    role: 'committee',
    scripts: 'both',
    run: async ({ page }) => {
      await answered(page);
      ok(page.url().endsWith('/decide'), 'everything is shown once more');
      await press(page);
      ok((await page.textContent('.paper h1')).includes('过渡期办理记录'), 'the record');
      const [paper] = await Promise.all([page.waitForEvent('download'), page.click('form[action$="/record.pdf"] .button')]);
      equal(paper.suggestedFilename(), 'jilu.pdf', 'the record as a PDF');
      await begin(page, 'kinship');
      await page.check('input[value=neither]');
      await press(page);
      await press(page);
      ok((await page.textContent('main')).includes('不'), 'it may not, and why');
    },
  },
];
