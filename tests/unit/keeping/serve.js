// Answers, fails, or answers and leaves: Node's own server.
const { appendFileSync } = require("node:fs");
const { createServer } = require("node:http");

const server = createServer((request, response) => {
  appendFileSync(process.env.RECORD, `${request.url}\n`);
  request.resume();
  request.on("end", () => {
    if (request.url.startsWith("/fail")) {
      response.writeHead(500).end("failed");
      // What a process that is about to restart does: it ends idle connections, and says nothing.
      response.on("close", () => server.closeIdleConnections());
      return;
    }
    if (request.url.startsWith("/leave")) response.setHeader("Connection", "close");
    response.end("ok");
  });
});
server.listen({ fd: Number(process.argv[2]) });
