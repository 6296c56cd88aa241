// The JavaScript runtime client of lambda-invoke-runtime. The official client is used instead if the
// function's environment has it.
"use strict";
// In a block, so that the function sees none of these names.
{
const { AsyncLocalStorage } = require("node:async_hooks");
const fs = require("node:fs");
// Before a library that traces or mocks requests can replace them in the module.
const { Agent, request: httpRequest, validateHeaderValue } = require("node:http");
const path = require("node:path");
const { Writable } = require("node:stream");
const { builtinModules, createRequire } = require("node:module");
const { pathToFileURL } = require("node:url");
const { format, types } = require("node:util");

const env = process.env;
const root = env.LAMBDA_TASK_ROOT;
const major = Number(process.versions.node.split(".")[0]);

// `node -e` makes the built-in modules and the names of a CommonJS module global. Elsewhere a function that
// relies on them fails. `console`, `process` and, since Node.js 19, `crypto` are global everywhere.
const everywhere = ["console", "process", ...(major < 19 ? [] : ["crypto"])];
for (const name of [...builtinModules, "require", "module", "exports", "__filename", "__dirname"]) {
  if (!everywhere.includes(name)) delete globalThis[name];
}
// It sets this one again when the script has run.
queueMicrotask(() => delete globalThis.module);

const base = "/2018-06-01/runtime/";
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true });
const slots = Number(env.AWS_LAMBDA_MAX_CONCURRENCY || 1);
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
env.AWS_EXECUTION_ENV = `AWS_Lambda_nodejs${major}.x`;

function request(method, where, headers, body) {
  return new Promise((resolve, reject) => {
    const options = { host, port, method, path: base + where, headers, agent };
    const sent = httpRequest(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ response, body: Buffer.concat(parts) }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function named(type, message, cause) {
  const error = new Error(message);
  error.name = type;
  error.stack = cause && cause.stack ? cause.stack : `${type}: ${message}`;
  return error;
}

function describe(error) {
  try {
    const isError = error instanceof Error || (error && typeof error.stack === "string");
    if (!isError) return { errorType: typeof error, errorMessage: String(error), trace: [] };
    const trace = String(error.stack || "").split("\n");
    return { errorType: String(error.name || "Error"), errorMessage: String(error.message || ""), trace };
  } catch {
    // The words of the official client.
    const errorMessage =
      "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack";
    return { errorType: "handled", errorMessage, trace: [] };
  }
}

// A text as the value of a header.
function header(text) {
  return text.replace(/[^\x21-\x7e]/g, "?");
}

// Trailers must be short, and base64 makes them longer.
function shortened(described) {
  if (Buffer.byteLength(JSON.stringify(described)) <= 8192) return described;
  const { errorType, errorMessage, trace } = described;
  return {
    errorType,
    errorMessage: errorMessage.slice(0, 1000),
    trace: trace.slice(0, 7).map((line) => line.slice(0, 300)),
  };
}

// Writes a line in the format of the official client.
function print(output, id, level, text) {
  output.write(`${new Date().toISOString()}\t${id}\t${level}\t${text}\n`);
}

function log(id, title, described) {
  const { errorType, errorMessage, trace } = described;
  const record = JSON.stringify({ errorType, errorMessage, stack: trace });
  print(process.stderr, id, "ERROR", `${title}\t${record}`);
}

// The file that was named instead of a module. The function does not see the argument.
const [given] = process.argv.splice(1, 1);

// Finds the module of the handler as the official client does.
function find() {
  const [, module, members] = /^([^.]*)\.(.*)$/.exec(path.basename(env._HANDLER)) || [];
  if (!module) return {};
  const file = path.resolve(root, path.dirname(env._HANDLER), module);
  const isFile = (one) => fs.existsSync(one) && fs.statSync(one).isFile();
  return { file, source: ["", ".js", ".mjs", ".cjs"].map((end) => file + end).find(isFile), members };
}

// Where a file cannot be parsed. Of a CommonJS file, the error says it; of a module, only Node.js itself when
// it reports the error.
async function placeOf(error, file) {
  const isPlace = (text) => /:\d+$/.test(String(text).split("\n")[0]);
  if (!file || isPlace(error.stack)) return "";
  const { spawnSync } = await import("node:child_process");
  const { stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8", timeout: 5000 });
  return isPlace(stderr) ? `${stderr.split("\n").slice(0, 3).join("\n")}\n` : "";
}

async function load() {
  const name = env._HANDLER;
  let { file, source, members } = find();
  if (given) {
    file = source = given;
    members = name.slice(path.parse(given).name.length + 1);
  }
  if (!file) {
    throw named("Runtime.MalformedHandlerName", "Bad handler");
  }
  let loaded;
  try {
    if (source) {
      loaded = await import(pathToFileURL(source).href);
    } else {
      const own = createRequire(path.join(root, "index.js"));
      loaded = await import(pathToFileURL(own.resolve(file)).href);
    }
  } catch (error) {
    if (error instanceof SyntaxError) {
      const problem = named("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`, error);
      problem.stack = (await placeOf(error, source)) + problem.stack;
      throw problem;
    }
    // As in the official client, which reports a module that an ES module imports in vain as an `Error`.
    if (error && error.code === "MODULE_NOT_FOUND") {
      throw named("Runtime.ImportModuleError", `Error: ${error.message}`, error);
    }
    throw error;
  }
  const walk = (from) => members.split(".").reduce((at, key) => at && at[key], from);
  const handler = walk(loaded) || walk(loaded.default);
  if (handler === undefined) {
    throw named("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  }
  if (typeof handler !== "function") {
    throw named("Runtime.HandlerNotFound", `${name} is not a function`);
  }
  if (major >= 24 && handler.length >= 3 && !handler[STREAMING]) {
    const text = "ERROR: AWS Lambda does not support callback-based function handlers with Node.js 24 and later.";
    throw named("Runtime.CallbackHandlerDeprecated", text);
  }
  return handler;
}

// The official stream is a request itself, and ends only if the function ends it.
class ResponseStream extends Writable {
  constructor(id, headers) {
    super({ highWaterMark: 64 * 1024, decodeStrings: true });
    this.id = id;
    this.own = headers;
    this.type = "application/octet-stream";
    this.ended = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.ended.catch(() => {});
    // `_destroy` gets the error too.
    this.on("error", () => {});
  }

  setContentType(type) {
    if (this.begun || this.sent) {
      const error = new Error("Cannot set content-type, too late.");
      throw Object.assign(error, { name: "Runtime.InvalidStreamingOperation" });
    }
    // Here rather than when the stream is opened, where an error would leave it without an end.
    validateHeaderValue("Content-Type", type);
    this.type = type;
  }

  write(chunk, ...rest) {
    // The response has its error.
    if (this.failure) return false;
    const isData = chunk === null || typeof chunk === "string" || types.isUint8Array(chunk);
    const more = super.write(isData ? chunk : JSON.stringify(chunk), ...rest);
    this.begun = true;
    return more;
  }

  open() {
    if (this.sent) return this.sent;
    const headers = {
      ...this.own,
      "Content-Type": this.type,
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      "Transfer-Encoding": "chunked",
      Trailer: ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"],
    };
    const options = { host, port, method: "POST", path: `${base}invocation/${this.id}/response`, headers, agent };
    this.sent = httpRequest(options, (response) => {
      response.resume();
      response.on("end", () => this.settle.resolve());
    });
    this.sent.on("error", (error) => this.settle.reject(error));
    this.sent.setNoDelay(true);
    return this.sent;
  }

  // The official name of what `HttpResponseStream.from` sets.
  sendHead(sent) {
    const before = this._onBeforeFirstWrite;
    this._onBeforeFirstWrite = undefined;
    if (before) before((part) => sent.write(part));
  }

  _write(chunk, _encoding, done) {
    const sent = this.open();
    this.sendHead(sent);
    if (sent.write(chunk)) done();
    else sent.once("drain", done);
  }

  _final(done) {
    this.finish(done);
  }

  // Without an error, too, a stream that is destroyed before its end is an incomplete response.
  _destroy(error, done) {
    if (!this.isOver) {
      this.fail(error || new Error("The response stream was destroyed before its end"));
      this.finish();
    }
    done(error);
  }

  // Ends the response with an error, after what has been written. The response of a stream that has been
  // ended is complete.
  fail(error, title = "Invoke Error ") {
    if (this.failure) return;
    const described = describe(error);
    log(this.id, title, described);
    if (this.writableEnded && !this.destroyed) return;
    this.failure = described;
    if (!this.destroyed) this.end();
  }

  finish(done) {
    this.isOver = true;
    const sent = this.open();
    if (this.failure) {
      sent.flushHeaders();
      sent.addTrailers({
        "Lambda-Runtime-Function-Error-Type": header(this.failure.errorType),
        "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(shortened(this.failure))).toString("base64"),
      });
    } else {
      this.sendHead(sent);
    }
    sent.end(done);
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = "response";
    if (options && options.highWaterMark) {
      handler[Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark")] = options.highWaterMark;
    }
    return handler;
  },
  HttpResponseStream: {
    from(stream, metadata) {
      const head = JSON.stringify(metadata);
      if (head === undefined) throw new TypeError("The metadata of an HTTP response must be an object");
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream._onBeforeFirstWrite = (write) => {
        write(head);
        write(Buffer.alloc(8));
      };
      return stream;
    },
  },
};

function parsed(context) {
  try {
    return JSON.parse(context);
  } catch (error) {
    throw new Error(`Cannot parse ClientContext as json: ${error}`);
  }
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const context = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    clientContext: context ? parsed(context) : undefined,
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

// What is to be done when the event loop is empty, which it never is if there are several slots.
let whenEmpty;

// Calls a handler. Before Node.js 24, the first of callback, `succeed`, `fail`, `done` and promise counts; a
// callback with a result waits for the empty event loop, and a value that is returned does not count.
function call(handler, event, context) {
  if (major >= 24) return handler(event, context);
  return new Promise((resolve, reject) => {
    let settled = false;
    const once = (settle) => (...results) => {
      if (settled) return;
      settled = true;
      whenEmpty = undefined;
      settle(...results);
    };
    const isNothing = (error) => error === undefined || error === null;
    const settle = (error, value) => (isNothing(error) ? resolve(value) : reject(error));
    const callback = once((error, value) => {
      if (isNothing(error) && context.callbackWaitsForEmptyEventLoop && slots === 1) {
        whenEmpty = () => resolve(value);
      } else {
        settle(error, value);
      }
    });
    const succeed = once(resolve);
    const fail = once((error) => reject(isNothing(error) ? "handled" : error));
    Object.assign(context, { succeed, fail, done: once(settle) });
    whenEmpty = once(() => {
      if (handler.constructor.name !== "AsyncFunction") return resolve(null);
      const text =
        "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes";
      reject(named("Runtime.NodeJsExit", text));
    });
    try {
      const result = handler(event, context, callback);
      if (result && typeof result.then === "function") result.then(succeed, fail);
      else if (slots > 1 && handler.length < 3) succeed(result);
    } catch (error) {
      callback(error);
    }
  });
}

// Calls a streaming handler, and waits for its stream, which may end later.
async function streamFrom(handler, event, stream, context) {
  // The process must wait for the end of the stream, and so for the timeout, even if nothing will end it.
  const hold = setInterval(() => {}, 2 ** 30);
  const release = () => clearInterval(hold);
  stream.ended.then(release, release);
  const result = handler(event, stream, context);
  if (!result || typeof result.then !== "function") {
    throw new Error("Streaming does not support non-async handlers.");
  }
  // Once the response is complete, a promise that nothing will settle is not waited for.
  const empty = new Promise((resolve) => (whenEmpty = resolve));
  await Promise.race([result, empty]);
  await stream.ended;
}

// Tells invocations apart that run at the same time.
const contexts = slots > 1 ? new AsyncLocalStorage() : undefined;
let latest;

// The invocation that the current code belongs to.
function current() {
  return (contexts && contexts.getStore()) || latest;
}

async function invoke(handler) {
  const { response, body } = await request("GET", "invocation/next", {});
  if (response.statusCode !== 200) process.exit(1);
  const id = response.headers["lambda-runtime-aws-request-id"];
  const trace = response.headers["lambda-runtime-trace-id"];
  if (trace) env._X_AMZN_TRACE_ID = trace;
  else delete env._X_AMZN_TRACE_ID;
  const nonce = response.headers["lambda-runtime-invocation-id"];
  const own = { "Content-Type": "application/json" };
  if (nonce) own["Lambda-Runtime-Invocation-Id"] = nonce;
  const running = { id, own };
  latest = running;
  const run = () => respond(handler, running, body, response.headers);
  try {
    await (contexts ? contexts.run(running, run) : run());
  } finally {
    if (latest === running) latest = undefined;
  }
}

async function respond(handler, running, body, headers) {
  const { id, own } = running;
  let stream;
  try {
    const context = contextOf(headers);
    const event = body.length ? JSON.parse(body.toString("utf8")) : null;
    if (handler[STREAMING]) {
      stream = new ResponseStream(id, own);
      running.stream = stream;
      await streamFrom(handler, event, stream, context);
      return;
    }
    const result = await call(handler, event, context);
    let json;
    try {
      json = JSON.stringify(result === undefined ? null : result);
    } catch {
      const text = "Unable to stringify response body";
      throw major < 24 ? new Error(text) : named("Runtime.JSONStringifyError", text);
    }
    await request("POST", `invocation/${id}/response`, own, json === undefined ? "null" : json);
  } catch (error) {
    if (stream) {
      stream.fail(error);
      await stream.ended;
      return;
    }
    const described = describe(error);
    log(id, "Invoke Error ", described);
    const headers = { ...own, "Lambda-Runtime-Function-Error-Type": header(described.errorType) };
    await request("POST", `invocation/${id}/error`, headers, JSON.stringify(described));
  }
}

let isInitializing = true;
let isEnding = false;

// An error that no handler caught ends the process after it has been reported.
async function uncaught(title, error, code) {
  isEnding = true;
  const now = current();
  try {
    if (now && now.stream) {
      now.stream.fail(error, title);
      await now.stream.ended;
    } else {
      const described = describe(error);
      log(now && now.id, title, described);
      const headers = { ...(now && now.own), "Lambda-Runtime-Function-Error-Type": header(described.errorType) };
      const where = now ? `invocation/${now.id}/error` : "init/error";
      if (now || isInitializing) await request("POST", where, headers, JSON.stringify(described));
    }
  } finally {
    process.exit(code);
  }
}

function rejection(reason) {
  const { errorType, errorMessage } = describe(reason);
  const text = reason instanceof Error ? `${errorType}: ${errorMessage}` : errorMessage;
  return named("Runtime.UnhandledPromiseRejection", text, reason);
}

async function main() {
  process.on("beforeExit", () => {
    const act = whenEmpty;
    whenEmpty = undefined;
    if (act) act();
  });
  process.on("uncaughtException", (error) => uncaught("Uncaught Exception ", error, 129));
  process.on("unhandledRejection", (reason) => uncaught("Unhandled Promise Rejection ", rejection(reason), 128));
  let handler;
  try {
    handler = await load();
  } catch (error) {
    const described = describe(error);
    log(undefined, "Uncaught Exception ", described);
    const headers = { "Lambda-Runtime-Function-Error-Type": header(described.errorType) };
    await request("POST", "init/error", headers, JSON.stringify(described));
    process.exit(1);
  }
  // An error that the import has left behind belongs to the initialization.
  await new Promise(setImmediate);
  if (isEnding) return;
  isInitializing = false;
  const serve = async () => {
    for (;;) await invoke(handler);
  };
  await Promise.all(Array.from({ length: slots }, serve)).catch(() => process.exit(0));
}

let official;
try {
  // It would load another file than the one that was named, if that comes first.
  const isFound = !given || find().source === given;
  official = isFound ? createRequire(path.join(root, "index.js")).resolve("aws-lambda-ric") : undefined;
} catch {
  official = undefined;
}
const LEVELS = {
  log: "INFO", info: "INFO", trace: "TRACE", debug: "DEBUG", warn: "WARN", error: "ERROR", fatal: "FATAL",
};
for (const [name, level] of official ? [] : Object.entries(LEVELS)) {
  const output = ["warn", "error", "fatal"].includes(name) ? process.stderr : process.stdout;
  console[name] = (...parts) => {
    const { id } = current() || {};
    print(output, id, level, format(...parts));
  };
}
if (official) {
  process.argv.splice(1, process.argv.length, official, env._HANDLER);
  // Version 4 passes these arguments on to its workers, which cannot take `-e`.
  process.execArgv.length = 0;
  // Importing version 4 runs it.
  import(pathToFileURL(official).href)
    .then((client) => client.run && client.run(root, env._HANDLER))
    // In its own main module, the rejection of an import is an uncaught error, which keeps its type.
    .catch((error) => setImmediate(() => { throw error; }));
} else {
  main();
}
}
