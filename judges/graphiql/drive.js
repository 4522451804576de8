// Runs the examples of GraphiQL in Chromium as a person would: node drive.js < ASKED
//
// ASKED is {"base", "folder", "runs": [{"tab", "token", "variables"}]}; `folder` takes a picture of
// each answer. Told is a line of JSON for each example, {"tab", "following"} where a subscription
// has begun and {"tab", "answer"} at its end, and one of the page's own faults: {"faults"}.

import { mkdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { base, folder, runs } = JSON.parse(readFileSync(0, "utf8"));
const PATIENCE = { timeout: 15000 };
const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-sandbox"];
const faults = [];

const tell = (said) => console.log(JSON.stringify(said));

/** Whatever the page does that it should not: errors, refusals of its own policy, other hosts. */
const watch = async (page) => {
  page.on("console", (said) => said.type() === "error" && faults.push(`console: ${said.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("response", (answer) =>
    answer.status() >= 400 && faults.push(`${answer.status()}: ${answer.url()}`));
  page.on("request", (asked) => {
    const { protocol, origin } = new URL(asked.url());
    if (protocol !== "data:" && origin !== base) faults.push(`another host: ${asked.url()}`);
  });
  await page.exposeFunction("violated", (what) => faults.push(`policy: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      window.violated(`${event.violatedDirective} ${event.blockedURI}`));
  });
};

/** What an editor of the page holds, and how it is written anew. */
const written = (page, where) =>
  page.evaluate((place) => document.querySelector(`${place} .CodeMirror`).CodeMirror.getValue(), where);

const write = async (page, where, text) => {
  await page.locator(`${where} .CodeMirror`).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
};

const answered = async (page, before) => {
  await page.waitForFunction((old) => {
    const shown = document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue() ?? "";
    return shown !== "" && shown !== old;
  }, before, PATIENCE);
  return JSON.parse(await written(page, ".result-window"));
};

const run = async (page, { tab, token, variables }) => {
  await page.locator(".graphiql-tab-button", { hasText: new RegExp(`^${tab}$`) }).click();
  // A document is read a tenth of a second after it was last changed.
  await page.waitForTimeout(500);
  await page.fill("#token", token ?? "");
  if (variables) {
    await page.locator(".graphiql-editor-tools button", { hasText: "Variables" }).click();
    await write(page, ".graphiql-editor-tool .graphiql-editor:not(.hidden)", JSON.stringify(variables, null, 2));
  }
  const before = await written(page, ".result-window");
  const subscribes = /^\s*subscription\b/m.test(await written(page, ".graphiql-query-editor"));
  await page.click(".graphiql-execute-button");
  if (subscribes) {
    await page.locator('.graphiql-execute-button[aria-label^="Stop"]').waitFor(PATIENCE);
    tell({ tab, following: true });
  }
  const answer = await answered(page, before);
  await page.screenshot({ path: `${folder}/${tab}.png` });
  if (subscribes) await page.click(".graphiql-execute-button");
  tell({ tab, answer });
};

/** The documentation is drawn of what the schema says of itself. */
const documented = async (page) => {
  await page.click('button[aria-label="Show Documentation Explorer"]');
  await page.locator(".graphiql-doc-explorer", { hasText: "Mutation" }).waitFor(PATIENCE);
  await page.screenshot({ path: `${folder}/documentation.png` });
  await page.click('button[aria-label="Hide Documentation Explorer"]');
};

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: QUIET,
});
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await watch(page);
  await page.goto(`${base}/graphiql`);
  await page.locator(".graphiql-tab-button").first().waitFor(PATIENCE);
  await documented(page);
  for (const each of runs) await run(page, each);
} finally {
  await browser.close();
}
tell({ faults });
