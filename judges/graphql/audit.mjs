// The audits of graphql-http over a running graph: node audit.mjs URL. Anything but ok fails.
import { createRequire } from "node:module";

const { serverAudits } = createRequire(import.meta.url)("graphql-http");
const url = process.argv[2];
let failed = 0;
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const found = await audit.fn();
  if (found.status !== "ok") {
    failed += 1;
    console.log(`${found.status} ${audit.id} ${audit.name}: ${found.reason}`);
    continue;
  }
  console.log(`ok ${audit.id} ${audit.name}`);
}
process.exit(failed ? 1 : 0);
