// A runtime client for Node.js functions, for machines without the official one (aws-lambda-ric).
// What it sends is what the official client sends.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Writable } from "node:stream";
import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const root = process.env.LAMBDA_TASK_ROOT ?? process.cwd();
const handlerName = process.env._HANDLER ?? "";
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, noDelay: true });
const api = "/2018-06-01/runtime";
const httpIntegration = "application/vnd.awslambda.http-integration-response";
const streaming = Symbol.for("aws.lambda.runtime.handler.streaming");
const major = Number(process.versions.node.split(".")[0]);
const invocation = new AsyncLocalStorage();

/** Hands over to the function's own aws-lambda-ric, if it has one. */
async function useOfficialClient() {
  if (process.env.LAMBDA_INVOKE_BOOTSTRAP === "embedded") return false;
  let found;
  try {
    found = createRequire(path.join(root, "index.js")).resolve("aws-lambda-ric");
  } catch {
    return false;
  }
  const client = await import(pathToFileURL(found).href);
  const run = client.run ?? client.default?.run;
  if (!run) return false;
  await run(root, handlerName);
  return true;
}

class Fault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

/** Describes an error as the official client does. */
function describe(error) {
  const known = error instanceof Error || (error && typeof error === "object" && "stack" in error);
  if (!known) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: String(error.stack ?? "").split("\n"),
  };
}

function logError(what, error) {
  const about = describe(error);
  const { trace, ...rest } = about;
  const record = { ...rest, ...(error?.code ? { code: error.code } : {}), stack: trace };
  console.error(what, JSON.stringify(record));
}

/** Makes console write as the official client: time, request ID, level, message. */
function patchConsole() {
  const levels = { log: "INFO", info: "INFO", debug: "DEBUG", warn: "WARN", error: "ERROR", trace: "TRACE" };
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...values) => {
      const text = values.map((value) => (typeof value === "string" ? value : inspect(value))).join(" ");
      const id = invocation.getStore() ?? "undefined";
      const line = `${new Date().toISOString()}\t${id}\t${level}\t${text}`.replace(/\n/g, "\r");
      process.stdout.write(line + "\n");
    };
  }
}

/** Sends a request and reads the whole response. */
function call(method, where, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: api + where, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const post = (where, headers, body) => {
  const data = Buffer.from(body);
  return call("POST", where, { ...headers, "content-length": data.length }, data);
};

/** Loads the handler: `index.handler`, `src/index.handler` or `index.nested.handler`. */
async function load() {
  const match = /^(?<folder>(?:.*\/)?)(?<module>[^/.]+)\.(?<name>[^/]+)$/.exec(handlerName);
  if (!match || handlerName.includes("..")) {
    throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  }
  const { folder, module, name } = match.groups;
  const base = path.resolve(root, folder, module);
  const loaded = await importModule(base, folder + module);
  let found = loaded;
  for (const part of name.split(".")) found = found?.[part];
  if (found === undefined && loaded.default) {
    found = loaded.default;
    for (const part of name.split(".")) found = found?.[part];
  }
  if (found === undefined) {
    throw new Fault("Runtime.HandlerNotFound", `${handlerName} is undefined or not exported`);
  }
  if (typeof found !== "function") {
    throw new Fault("Runtime.HandlerNotFound", `${handlerName} is not a function`);
  }
  if (major >= 24 && found.length >= 3 && !found[streaming]) {
    throw new Fault(
      "Runtime.CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later.",
    );
  }
  return found;
}

async function importModule(base, shown) {
  const file = [".js", ".mjs", ".cjs"].map((extension) => base + extension).find((name) => fs.existsSync(name));
  if (!file) {
    const message = `Error: Cannot find module '${shown}'\nRequire stack:\n- ${base}`;
    throw new Fault("Runtime.ImportModuleError", message);
  }
  try {
    // `import` follows the nearest package.json, and reads CommonJS modules, too.
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw renamed(error, "Runtime.UserCodeSyntaxError");
    if (error?.code === "ERR_MODULE_NOT_FOUND" || error?.code === "MODULE_NOT_FOUND") {
      throw renamed(error, "Runtime.ImportModuleError");
    }
    throw error;
  }
}

function renamed(error, name) {
  const fault = new Fault(name, String(error));
  fault.stack = error.stack;
  return fault;
}

/** The stream that a streaming handler writes to: each write is a chunk of the response. */
class ResponseStream extends Writable {
  #path;
  #headers;
  #request;
  #done;

  constructor(where, headers) {
    super({ highWaterMark: 64 * 1024 });
    this.#path = where;
    this.#headers = { ...headers, "content-type": "application/octet-stream" };
  }

  setContentType(type) {
    this.#headers["content-type"] = type;
  }

  /** Starts the response. A prelude is JSON for the caller, ended by eight NULs. */
  _prelude(prelude) {
    this.setContentType(httpIntegration);
    const request = this.#start();
    request.write(JSON.stringify(prelude));
    request.write(Buffer.alloc(8));
  }

  #start() {
    if (this.#request) return this.#request;
    const headers = {
      ...this.#headers,
      "lambda-runtime-function-response-mode": "streaming",
      "transfer-encoding": "chunked",
      trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
    };
    this.#request = http.request({ host, port, agent, method: "POST", path: api + this.#path, headers });
    this.#done = new Promise((resolve, reject) => {
      this.#request.on("response", (response) => response.resume().on("end", resolve));
      this.#request.on("error", reject);
    });
    this.#done.catch(() => {});
    this.#request.flushHeaders();
    return this.#request;
  }

  _write(chunk, encoding, next) {
    const request = this.#start();
    const data = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
    if (data.length === 0 || request.write(data)) next();
    else request.once("drain", next);
  }

  /** Ends the response, with the error as trailers if there is one. */
  async _finish(error) {
    const request = this.#start();
    if (error !== undefined) {
      const report = describe(error);
      request.addTrailers({
        "Lambda-Runtime-Function-Error-Type": report.errorType,
        "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(report)).toString("base64"),
      });
    }
    request.end();
    await this.#done;
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[streaming] = "response";
    if (options?.highWaterMark) handler.highWaterMark = options.highWaterMark;
    return handler;
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream._prelude(prelude ?? {});
      return stream;
    },
  },
};

function contextOf(headers, done) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const json = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    clientContext: json("lambda-runtime-client-context"),
    identity: json("lambda-runtime-cognito-identity"),
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  if (major < 24) {
    context.done = done;
    context.succeed = (value) => done(null, value);
    context.fail = (error) => done(error ?? "handled");
  }
  return context;
}

/** Runs a buffered handler: a promise, or a callback and then an empty event loop. */
function runBuffered(handler, event, headers) {
  return new Promise((resolve, reject) => {
    let context;
    const settle = (error, value) => (error ? reject(error) : resolve(value));
    const done = (error, value) => {
      if (!context.callbackWaitsForEmptyEventLoop) return settle(error, value);
      // No open request to the API is left now, so that the loop is empty once the function's
      // timers and sockets are.
      process.once("beforeExit", () => settle(error, value));
    };
    context = contextOf(headers, done);
    const result = handler(event, context, done);
    if (typeof result?.then === "function") result.then(resolve, reject);
    // A handler that can have no callback responds with `null`, once nothing is left to do.
    else if (handler.length < 3 || major >= 24) process.once("beforeExit", () => resolve(null));
  });
}

async function handle(handler, headers, body) {
  const id = headers["lambda-runtime-aws-request-id"];
  const nonce = headers["lambda-runtime-invocation-id"];
  const send = { "content-type": "application/json" };
  if (nonce) send["lambda-runtime-invocation-id"] = nonce;
  const trace = headers["lambda-runtime-trace-id"];
  if (trace) process.env._X_AMZN_TRACE_ID = trace;
  const where = `/invocation/${id}`;
  let stream;
  try {
    const event = JSON.parse(body.toString("utf8"));
    if (handler[streaming]) {
      stream = new ResponseStream(`${where}/response`, send);
      const failed = new Promise((_, reject) => stream.once("error", reject));
      failed.catch(() => {});
      await Promise.race([handler(event, stream, contextOf(headers)), failed]);
      if (!stream.writableEnded) stream.end();
      await Promise.race([ended(stream), failed]);
      await stream._finish();
      return;
    }
    const result = await runBuffered(handler, event, headers);
    const text = JSON.stringify(result === undefined ? null : result);
    await post(`${where}/response`, send, text ?? "null");
  } catch (error) {
    logError("Invoke Error \t", error);
    if (stream) return stream._finish(error);
    const report = describe(error);
    send["lambda-runtime-function-error-type"] = report.errorType;
    await post(`${where}/error`, send, JSON.stringify(report));
  }
}

const ended = (stream) =>
  stream.writableFinished ? Promise.resolve() : new Promise((resolve) => stream.once("finish", resolve));

async function work(handler) {
  for (;;) {
    const next = await call("GET", "/invocation/next", {}, undefined);
    if (next.status !== 200) throw new Error(`the Runtime API responded ${next.status}: ${next.body}`);
    const id = next.headers["lambda-runtime-aws-request-id"];
    await invocation.run(id, () => handle(handler, next.headers, next.body));
  }
}

async function main() {
  if (await useOfficialClient()) return;
  patchConsole();
  for (const [event, name] of [["uncaughtException", "Uncaught Exception"], ["unhandledRejection", "Unhandled Promise Rejection"]]) {
    process.on(event, (reason) => {
      const error = event === "unhandledRejection" ? renamed(asError(reason), "Runtime.UnhandledPromiseRejection") : reason;
      logError(`${name} \t`, error);
      // The host reports the event as failed: the runtime exited.
      process.exit(event === "unhandledRejection" ? 128 : 129);
    });
  }
  let handler;
  try {
    handler = await load();
  } catch (error) {
    logError("Init Error \t", error);
    const report = describe(error);
    const headers = { "content-type": "application/json", "lambda-runtime-function-error-type": report.errorType };
    await post("/init/error", headers, JSON.stringify(report));
    process.exit(1);
  }
  const loops = Number(process.env.AWS_LAMBDA_MAX_CONCURRENCY ?? 1);
  try {
    await Promise.all(Array.from({ length: loops }, () => work(handler)));
  } catch {
    // The host is gone.
    process.exit(1);
  }
}

const asError = (reason) => (reason instanceof Error ? reason : new Error(String(reason)));

await main();
