// Draws every exported form in both libraries and three languages, and answers it by hand:
// node drive.js FORMS.json PAGE.js SUBMITTED.json

import { readFileSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [formsPath, pagePath, submittedPath] = process.argv.slice(2);
const forms = JSON.parse(readFileSync(formsPath, "utf8"));
const LIBRARIES = ["rjsf", "jsonforms"];
const LANGUAGES = ["kk", "ru", "en"];
const NONSENSE = ["No applicable renderer", "Unsupported field", "Unknown field type"];
// JSON Forms tells what changed a tenth of a second after the last keystroke.
const SETTLE = { timeout: 10000, polling: 20 };

/** What stands on the page: each label with the control it belongs to. */
const drawn = () => ({
  text: document.body.innerText,
  labels: [...document.querySelectorAll("label")].map((label) => {
    const control = label.control;
    return {
      text: label.innerText.replace(/\s*\*\s*$/, "").trim(),
      id: control?.id ?? null,
      kind: control && (control.tagName === "INPUT" ? control.type : control.tagName),
      choices: control?.tagName === "SELECT" ? [...control.options].map((option) => option.label) : [],
    };
  }),
});

/** What is wrong with the drawn questions, and the control of each question. */
const judge = (seen, texts) => {
  const faults = NONSENSE.filter((word) => seen.text.includes(word));
  const controls = new Map();
  for (const { name, title, choices } of texts) {
    const label = seen.labels.find((each) => each.text === title && each.id);
    if (!label) {
      faults.push(`${name}: no control is labelled “${title}”`);
      continue;
    }
    controls.set(name, label);
    for (const choice of choices) {
      if (!label.choices.includes(choice)) faults.push(`${name}: choice “${choice}” is missing`);
    }
  }
  return { faults, controls };
};

const press = async (page) => {
  await page.evaluate(() => { window.sent = undefined; });
  await page.click("button[type=submit]");
  await page.waitForFunction(() => window.sent !== undefined, null, SETTLE);
  return page.evaluate(() => window.sent);
};

const fill = async (page, { id, kind }, value, choice) => {
  const control = page.locator(`[id="${id}"]`);
  if (kind === "SELECT") await control.selectOption({ label: choice });
  else if (kind === "checkbox") {
    // “No” is an answer too: the box is ticked and cleared again.
    await control.check();
    await control.setChecked(value);
  }
  else if (kind === "datetime-local") await control.fill(value.slice(0, 16));
  else await control.fill(String(value));
};

const same = (left, right) => [...left].sort().join() === [...right].sort().join();

/** Empty first: refused for exactly the questions that must be answered. */
const emptyFaults = async (page, form) => {
  const empty = await press(page);
  if (!form.required.length) return empty.accepted ? [] : [`empty refused: ${empty.errors}`];
  if (empty.accepted) return ["an empty form was accepted"];
  return same(empty.missing, form.required) ? [] : [`empty: asked only for “${empty.missing}”`];
};

const isMoment = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value);

/** Every answer arrives as it was given; a moment may be written in another offset. */
const lost = (given, got) =>
  Object.keys(given).filter((name) =>
    isMoment(given[name]) ? !isMoment(got[name]) : got[name] !== given[name]);

const filled = async (page, form, texts, controls) => {
  for (const { name, choices } of texts) {
    await fill(page, controls.get(name), form.answers[name], choices.at(-1));
  }
  await page.waitForTimeout(60);
  return press(page);
};

/** One form, one library, one language: its faults, and the answers that were sent. */
const tryForm = async (page, library, language, form) => {
  const { schema, texts } = form.languages[language];
  await page.evaluate(([name, value]) => window.show(name, value), [library, schema]);
  await page.waitForSelector("button[type=submit]", { timeout: 10000 });
  const { faults, controls } = judge(await page.evaluate(drawn), texts);
  if (faults.length) return { faults };
  const refused = await emptyFaults(page, form);
  const sent = await filled(page, form, texts, controls);
  if (!sent.accepted) return { faults: [...refused, `filled refused: ${sent.errors}`] };
  const gone = lost(form.answers, sent.answers).map((name) =>
    `${name}: ${JSON.stringify(form.answers[name])} became ${JSON.stringify(sent.answers[name])}`);
  return { faults: [...refused, ...gone], answers: sent.answers };
};

const open = async (browser, complaints) => {
  const context = await browser.newContext({ offline: true, timezoneId: "Asia/Almaty" });
  const page = await context.newPage();
  page.setDefaultTimeout(10000);
  await page.setContent("<!doctype html><meta charset=utf-8><body></body>");
  await page.addScriptTag({ path: pagePath });
  page.on("pageerror", (error) => complaints.push(`page: ${error.message}`));
  page.on("request", (request) => complaints.push(`asked the network: ${request.url()}`));
  page.on("console", (line) => {
    if (["error", "warning"].includes(line.type())) complaints.push(`console: ${line.text()}`);
  });
  return page;
};

/** Every form in one library and one language, told in one line. */
const tryAll = async (browser, library, language) => {
  const complaints = [];
  const page = await open(browser, complaints);
  const count = { questions: 0, refused: 0, accepted: 0, wrong: 0 };
  const submitted = [];
  for (const form of forms) {
    const { faults, answers } = await tryForm(page, library, language, form)
      .catch((error) => ({ faults: [error.message] }));
    const all = [...faults, ...complaints.splice(0)];
    for (const fault of all) console.error(`${library} ${language} ${form.code}: ${fault}`);
    if (answers) submitted.push({ library, language, code: form.code, answers });
    if (all.length) {
      count.wrong += 1;
      continue;
    }
    count.questions += form.languages[language].texts.length;
    count.refused += form.required.length > 0;
    count.accepted += 1;
  }
  await page.context().close();
  console.log(`${library} ${language}: ${forms.length} forms, ${count.questions} questions drawn, `
    + `${count.refused} empty refused, ${count.accepted} filled accepted, ${count.wrong} wrong`);
  return { wrong: count.wrong, submitted };
};

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const pairs = LIBRARIES.flatMap((library) => LANGUAGES.map((language) => [library, language]));
const results = await Promise.all(pairs.map((pair) => tryAll(browser, ...pair)));
await browser.close();
writeFileSync(submittedPath, JSON.stringify(results.flatMap((result) => result.submitted)));
process.exit(!forms.length || results.some((result) => result.wrong) ? 1 : 0);
