// The console's page: opens a session, calls functions, and draws the latest calls.

const KEY = "lambda-invoke-console";
const WIDTH = 1000;
const element = (id) => document.getElementById(id);

// The token is used once; the session's key stays in this tab.
async function openSession() {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  if (token) {
    const response = await fetch("session", { method: "POST", body: token });
    if (response.ok) {
      sessionStorage.setItem(KEY, await response.text());
    } else if (!sessionStorage.getItem(KEY)) {
      throw new Error(await response.text());
    }
  }
  if (!sessionStorage.getItem(KEY)) {
    throw new Error("open the link that the endpoint printed on stderr");
  }
}

function request(path, options = {}) {
  const headers = { "x-console-session": sessionStorage.getItem(KEY) };
  return fetch(path, { ...options, headers });
}

function setState(text, kind) {
  element("state").textContent = text;
  element("state").className = kind;
}

// Milliseconds and bytes as text.
function duration(ms) {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function count(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

// Replaces U+0000 and other control characters, which would be invisible.
function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (c) =>
    c === "\r" ? "" : c === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + c.charCodeAt(0)));
}

// --- The functions, and a call of one ---

let selected = null;

async function listFunctions() {
  const response = await request("functions");
  if (response.status === 401) return false;
  const functions = await response.json();
  const list = element("functions");
  list.replaceChildren();
  for (const f of functions) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.name = f.name;
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = f.name;
    const kind = document.createElement("span");
    kind.className = "kind";
    kind.textContent = f.kind;
    button.append(name, kind);
    button.addEventListener("click", () => select(f.name));
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
  if (functions.length) {
    select(functions.some((f) => f.name === selected) ? selected : functions[0].name);
  }
  element("call").disabled = functions.length === 0;
  return true;
}

function select(name) {
  selected = name;
  for (const button of element("functions").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.name === name));
  }
}

// How many chunks of a response are shown, and how many characters of each. The oldest chunks are
// removed first.
const PIECES = 500;
const PIECE = 10_000;

function addPiece(at, text) {
  const list = element("pieces");
  const follows = list.scrollTop + list.clientHeight >= list.scrollHeight - 20;
  const item = document.createElement("li");
  const time = document.createElement("span");
  time.className = "at";
  time.textContent = `+${duration(at)}`;
  const shown = document.createElement("span");
  shown.className = "text";
  const characters = visible(text);
  setText(shown, characters.slice(0, PIECE), characters.length > PIECE);
  item.append(time, shown);
  list.append(item);
  if (list.childElementCount > PIECES) {
    list.firstElementChild.remove();
    element("before").hidden = false;
  }
  if (follows) list.scrollTop = list.scrollHeight;
}

async function responds() {
  try {
    await request("functions");
    return true;
  } catch {
    return false;
  }
}

function complain(text) {
  element("invalid").textContent = text;
  element("invalid").hidden = !text;
}

async function call(event) {
  event.preventDefault();
  complain("");
  const controller = new AbortController();
  const stop = () => controller.abort();
  element("stop").addEventListener("click", stop);
  element("stop").hidden = false;
  element("call").disabled = true;
  element("pieces").replaceChildren();
  element("before").hidden = true;
  element("stream").hidden = false;
  const note = element("streamed");
  note.textContent = "waiting";
  const started = performance.now();
  let bytes = 0;
  let response = null;
  try {
    const query = new URLSearchParams({ function: selected });
    const body = element("payload").value;
    response = await request(`call?${query}`, { method: "POST", body, signal: controller.signal });
    if (response.status === 400 || response.status === 413) {
      element("stream").hidden = true;
      complain(await response.text());
      return;
    }
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      const text = decoder.decode(value, { stream: !done });
      if (text) addPiece(performance.now() - started, text);
      if (done) break;
      bytes += value.length;
      note.textContent = size(bytes);
    }
    const total = duration(performance.now() - started);
    note.textContent = response.ok ? `${size(bytes)} in ${total}` : `failed after ${total}`;
  } catch (error) {
    const total = duration(performance.now() - started);
    if (error.name === "AbortError") note.textContent = `stopped after ${total}`;
    else if (!(await responds())) note.textContent = `lost after ${total}: the endpoint does not respond`;
    else if (!response) note.textContent = `no response after ${total}`;
    else note.textContent = `incomplete after ${total}: the function failed`;
  } finally {
    element("stop").removeEventListener("click", stop);
    element("stop").hidden = true;
    element("call").disabled = false;
  }
}

// --- The latest calls ---

const LAST = 50;
const rows = new Map();

function addRow(record) {
  const node = element("row").content.firstElementChild.cloneNode(true);
  const find = (name) => node.querySelector(name);
  const row = { node, record, received: 0, find };
  find(".summary").addEventListener("click", () => {
    const isOpen = find(".detail").hidden;
    find(".detail").hidden = !isOpen;
    find(".axis").hidden = !isOpen;
    find(".summary").setAttribute("aria-expanded", String(isOpen));
    if (isOpen) drawDetail(row);
  });
  node.dataset.id = record.id;
  find(".name").textContent = record.function;
  find(".name").title = record.function;
  find(".via").textContent = record.via.replace("InvokeWithResponseStream", "Stream");
  find(".clock").textContent = new Date(record.time).toLocaleTimeString([], { hour12: false });
  element("calls").prepend(node);
  element("none").hidden = true;
  element("legend").hidden = false;
  rows.set(record.number, row);
  if (rows.size > LAST) {
    const oldest = rows.keys().next().value;
    rows.get(oldest).node.remove();
    rows.delete(oldest);
  }
  return row;
}

function update(record) {
  const row = rows.get(record.number) ?? addRow(record);
  row.record = record;
  row.received = performance.now();
  row.node.classList.toggle("running", !record.end);
  row.node.classList.toggle("failed", Boolean(record.end?.error));
  row.node.dataset.chunks = record.count;
  row.node.dataset.ended = String(Boolean(record.end));
  draw(row);
  if (!row.find(".detail").hidden) drawDetail(row);
}

// The time from the call's start until its end, or until now.
function elapsed(row) {
  return row.record.end?.at ?? row.record.now + performance.now() - row.received;
}

function draw(row) {
  const { record, find } = row;
  const total = Math.max(elapsed(row), 0.001);
  const x = (at) => Math.min(at / total, 1) * WIDTH;
  const tick = (at, half) => `M${x(at).toFixed(1)} ${14 - half}V${14 + half}`;
  const first = record.chunks[0]?.at;
  find(".wait").setAttribute("width", x(first ?? total));
  find(".body").setAttribute("x", x(first ?? total));
  find(".body").setAttribute("width", WIDTH - x(first ?? total));
  find(".chunks").setAttribute("d", record.chunks.map((chunk) => tick(chunk.at, 8)).join(""));
  find(".first").setAttribute("d", first === undefined ? "" : tick(first, 11));
  find(".end").setAttribute("d", record.end ? tick(record.end.at, 13) : "");
  const time = duration(total);
  const what = record.end?.error ? "failed" : record.end ? size(record.bytes) : "running";
  find(".result").textContent = `${what}, ${time}`;
}

function drawDetail(row) {
  const { record, find } = row;
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const mark = document.createElement("span");
    mark.textContent = part ? duration(elapsed(row) * part) : "0";
    return mark;
  });
  find(".axis").replaceChildren(...marks);
  const first = record.chunks[0];
  find(".numbers").textContent = [
    first ? `first byte after ${duration(first.at)}` : "no byte yet",
    `${count(record.count, "chunk")}, ${size(record.bytes)}`,
    record.end ? `ended after ${duration(record.end.at)}` : "running",
    record.id,
  ].join(" · ");
  find(".error").hidden = !record.end?.error;
  find(".error").textContent = record.end?.error ?? "";
  const { partial } = record;
  setText(find(".output"), visible(record.output), partial.output);
  setText(find(".log"), (partial.log ? `${BEFORE}\n` : "") + visible(record.log), false);
  setText(find(".payload"), visible(record.payload), partial.payload);
  let before = 0;
  const column = (text, width) => text.padStart(width);
  const heading = column("time", 10) + column("size", 10) + column("gap", 11);
  const lines = record.chunks.map((chunk, index) => {
    const gap = index ? `+${duration(chunk.at - before)}` : "";
    before = chunk.at;
    return column(duration(chunk.at), 10) + column(size(chunk.bytes), 10) + column(gap, 11);
  });
  setText(find(".list"), [heading, ...lines].join("\n"), record.count > record.chunks.length);
}

// In place of the start of a log.
const BEFORE = "… lines before";

function setText(node, text, isPartial) {
  const shown = isPartial ? `${text}\n… and more` : text;
  if (node.textContent !== shown) node.textContent = shown;
}

// Extends the timelines of running calls.
function animate() {
  for (const row of rows.values()) {
    if (!row.record.end) draw(row);
  }
  requestAnimationFrame(animate);
}

// Reads the feed, which has one line of JSON for each change of a call.
async function follow() {
  const response = await request("calls");
  if (response.status === 401) return false;
  if (!response.ok) throw new Error(await response.text());
  setState("live", "live");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return true;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line) update(JSON.parse(line));
    }
  }
}

async function main() {
  element("form").addEventListener("submit", call);
  try {
    await openSession();
  } catch (error) {
    element("call").disabled = true;
    setState(error.message, "lost");
    return;
  }
  requestAnimationFrame(animate);
  for (;;) {
    try {
      if (!(await listFunctions()) || !(await follow())) {
        sessionStorage.removeItem(KEY);
        setState("the session is over: open the endpoint's latest link", "lost");
        return;
      }
    } catch {
      // The endpoint cannot be reached; another attempt follows below.
    }
    setState("the endpoint does not respond", "lost");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

main();
