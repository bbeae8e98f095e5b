// Serves a simulated platform on this machine.
import { createServer } from "node:http";

/** Serves what `platform.answer(method, url, headers, body)` gives, a status and a body; gives the address and a function that ends it. */
export async function serve(platform, port = 0) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      let body;
      try {
        body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
      } catch {
        return reply(response, [400, { message: "The body is no JSON." }]);
      }
      reply(response, platform.answer(request.method, new URL(request.url, "http://platform"), request.headers, body));
    });
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}`, stop: () => { server.closeAllConnections(); server.close(); } };
}

function reply(response, [status, body]) {
  response.writeHead(status, { "content-type": "application/json" });
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
