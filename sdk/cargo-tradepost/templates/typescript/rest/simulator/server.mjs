// Serves a simulated platform on this machine.
import { createServer } from "node:http";

/**
 * Serves what `platform.answer(method, url, headers, body)` gives: a status, a body and, where there are some, headers such as
 * `{ "retry-after": "7" }`. The answer's `Date` is `platform.now()`. Gives the address and a function that ends it.
 */
export async function serve(platform, port = 0) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      let body;
      try {
        body = read(request.headers["content-type"] ?? "", Buffer.concat(chunks).toString());
      } catch {
        return reply(platform, response, [400, { message: "The body cannot be read." }]);
      }
      reply(platform, response, platform.answer(request.method, new URL(request.url, "http://platform"), request.headers, body));
    });
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}`, stop: () => { server.closeAllConnections(); server.close(); } };
}

/** A form by its fields, anything else as JSON. */
function read(type, text) {
  if (type.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(text));
  return text === "" ? {} : JSON.parse(text);
}

function reply(platform, response, [status, body, headers = {}]) {
  const date = new Date(platform.now?.() ?? Date.now()).toUTCString();
  response.writeHead(status, { "content-type": "application/json", date, ...headers });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

/** Starts it where this file is the program; a test has another name. */
export async function atStart(file, start) {
  if (!process.argv[1]?.endsWith(`/${file}`)) return;
  const at = process.argv.indexOf("--port");
  const { address } = await start(at < 0 ? 8080 : Number(process.argv[at + 1]));
  console.log(`listening on ${address}`);
}

/** Times with and without fractions of a second and with any offset compare as texts once they look alike. */
export function normal(time) {
  return new Date(time).toISOString();
}
