// Foreign clients follow the graph: node follow.mjs BASE TOKEN COUNT. Prints each entry as a line
// of JSON, from graphql-ws and from graphql-sse, after `ready`.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const ws = require("graphql-ws");
const sse = require("graphql-sse");
const [base, token, count] = process.argv.slice(2);
const query = "subscription { appeals { number type cursor } }";
const authorization = `Bearer ${token}`;

const clients = {
  ws: ws.createClient({
    url: `${base.replace("http", "ws")}/graphql`,
    webSocketImpl: require("ws"),
    connectionParams: { authorization },
  }),
  sse: sse.createClient({
    url: `${base}/graphql`,
    headers: { authorization },
  }),
};

async function follow(name, client) {
  let left = Number(count);
  for await (const entry of client.iterate({ query })) {
    console.log(JSON.stringify({ name, ...entry.data.appeals }));
    if (--left === 0) break;
  }
  await client.dispose();
}

console.log("ready");
await Promise.all(Object.entries(clients).map(([name, client]) => follow(name, client)));
process.exit(0);
