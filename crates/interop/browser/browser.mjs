// What a browser sees: events that arrive one by one, the same call on the console's timeline, and no
// access for other pages. Arguments: the endpoint's URL, the console's link, and a folder for
// screenshots.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const [url, link, folder] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run"],
});

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => { throw error; });
  return page;
}

try {
  // Opens the console by its link; the policy blocks nothing that the page needs.
  const console_ = await open({ colorScheme: "light" });
  const problems = [];
  console_.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  await console_.goto(link);
  await console_.waitForSelector("#state.live");
  assert.equal(new URL(console_.url()).hash, "", "the token has left the address bar");

  // Server-sent events through the function's URL.
  const page = await open();
  await page.goto(`${url}/url/page/`);
  await page.waitForFunction(() => document.title === "done");
  const events = await page.$$eval("li", (items) =>
    items.map((item) => ({ text: item.textContent, at: Number(item.dataset.at) })));
  assert.deepEqual(events.map((event) => event.text), [1, 2, 3, 4, 5].map((n) => `tick ${n}`));
  const gaps = events.slice(1).map((event, i) => event.at - events[i].at);
  console.log(`events 2 to 5 came after ${gaps.map((gap) => gap.toFixed(0)).join(", ")} ms`);
  // The events are written 300 ms apart. A buffer would deliver them together; on a busy machine,
  // single ones are late.
  assert.ok(gaps.filter((gap) => gap > 100).length >= 3, `gaps of ${gaps} ms`);

  // The console shows the same call on its timeline.
  const row = console_.locator('.call[data-ended="true"]', { hasText: "clock" }).first();
  await row.waitFor();
  assert.equal(await row.getAttribute("data-chunks"), "6");
  const line = await row.locator(".chunks").getAttribute("d");
  const marks = [...line.matchAll(/M([\d.]+)/g)].map((mark) => Number(mark[1]));
  assert.equal(marks.length, 6);
  for (let i = 1; i < marks.length; i++) assert.ok(marks[i] > marks[i - 1], line);
  await row.locator(".summary").click();
  assert.match(await row.locator(".log").textContent(), /tick 5/);
  assert.match(await row.locator(".output").textContent(), /data: tick 1/);

  // A call from the console shows its stream as it arrives.
  await console_.click('#functions button[data-name="clock"]');
  // Start waiting before the call, since both states are short-lived.
  const partial = console_.waitForFunction(() => {
    const pieces = document.querySelectorAll("#pieces li").length;
    return pieces > 0 && pieces < 6;
  });
  const running = console_.waitForSelector(".call.running[data-chunks]");
  await console_.click("#call");
  await Promise.all([partial, running]);
  await console_.waitForFunction(() => document.querySelectorAll("#pieces li").length === 6);

  // A failure is shown with its error, and an invalid payload with the position.
  await console_.click('#functions button[data-name="fail"]');
  await console_.fill("#payload", '{"when": "middle"}');
  await console_.click("#call");
  await console_.waitForSelector(".call.failed");
  await console_.fill("#payload", "{oops");
  await console_.click("#call");
  await console_.waitForSelector("#invalid:not([hidden])");
  assert.match(await console_.textContent("#invalid"), /not JSON/);
  await console_.fill("#payload", '{"name": "Ada"}');
  await console_.click('#functions button[data-name="hello"]');
  await console_.click("#call");
  await console_.waitForFunction(() => / in /.test(document.getElementById("streamed").textContent));

  // A piece that is shown in part is marked.
  await console_.fill("#payload", JSON.stringify("x".repeat(20_000)));
  await console_.click('#functions button[data-name="echo"]');
  await console_.click("#call");
  await console_.waitForFunction(() => {
    const pieces = [...document.querySelectorAll("#pieces .text")].map((piece) => piece.textContent);
    return pieces.some((text) => text.length > 10_000 && text.endsWith("… and more"));
  });
  await console_.fill("#payload", '{"name": "Ada"}');
  const shown = await console_.locator(".call").count();

  // A reload keeps the session; the link itself works only once.
  await console_.reload();
  await console_.waitForSelector("#state.live");
  await console_.locator(".call").nth(shown - 1).waitFor();
  const second = await open();
  await second.goto(link);
  await second.waitForSelector("#state.lost");
  assert.match(await second.textContent("#state"), /used before/);

  for (const colorScheme of ["light", "dark"]) {
    await console_.emulateMedia({ colorScheme });
    if (colorScheme === "light") {
      await console_.locator(".call", { hasText: "fail" }).first().locator(".summary").click();
      await console_.locator(".call", { hasText: "hello" }).first().locator(".summary").click();
      await console_.click('#functions button[data-name="clock"]');
      await console_.click("#call");
      await console_.waitForFunction(() => document.querySelectorAll("#pieces li").length === 3);
    }
    await console_.screenshot({ path: `${folder}/console-${colorScheme}.png`, fullPage: true });
  }
  await console_.setViewportSize({ width: 480, height: 900 });
  await console_.screenshot({ path: `${folder}/console-narrow.png` });

  // Failed fetches for the invalid payload and the failed function are expected.
  const unexpected = problems.filter((text) => !/status of (400|502)|ERR_INCOMPLETE_CHUNKED/.test(text));
  assert.deepEqual(unexpected, []);

  // A page of another origin.
  const other = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>other</title>");
  });
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  const calls = await console_.locator(".call").count();
  const foreign = await open();
  await foreign.goto(`http://127.0.0.1:${other.address().port}/`);
  const attempts = await foreign.evaluate(async (url) => {
    const results = {};
    const attempt = async (name, path, options) => {
      try {
        const response = await fetch(url + path, options);
        results[name] = `${response.type} ${response.status}`;
      } catch {
        results[name] = "blocked";
      }
    };
    const key = { "x-console-session": "0" };
    await attempt("session", "/console/session", { method: "POST", body: "x" });
    await attempt("functions", "/console/functions", { headers: key });
    await attempt("call", "/console/call?function=echo", { method: "POST", body: "{}" });
    await attempt("call with a key", "/console/call?function=echo", { method: "POST", body: "{}", headers: key });
    await attempt("script", "/console/console.js", { mode: "no-cors" });
    const frame = document.createElement("iframe");
    frame.src = `${url}/console/`;
    document.body.append(frame);
    await new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 2000); });
    try {
      results.frame = frame.contentWindow.location.href;
    } catch {
      results.frame = "blocked";
    }
    return results;
  }, url);
  other.close();
  console.log("another origin:", attempts);
  for (const [name, result] of Object.entries(attempts)) assert.equal(result, "blocked", name);
  // To the page a fetch is blocked, too, if only its response is: the function must not have run.
  await console_.waitForTimeout(500);
  assert.equal(await console_.locator(".call").count(), calls);
  // The location of a frame of another origin is never readable: the console must not be in it.
  const framed = foreign.frames().filter((frame) => frame.url().startsWith(url));
  for (const frame of framed) assert.equal(await frame.locator("#functions").count(), 0);
  console.log("the browser's view is as it should be");
} finally {
  await browser.close();
}
