// Judges messages as JavaScript receivers would: one verdict per case and verifier.
//
// On standard input: {"cases": [{"secret", "public", "headers", "body"}]}, bodies in base64. On
// standard output: [{"standardwebhooks", "svix", "v1a"}], each true, false, or null where the case
// names no secret (v1) or no public key (v1a).
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";

const TOLERANCE = 5 * 60;

// The key of a whpk_… as DER: the fixed prefix of an Ed25519 key (RFC 8410), then its 32 bytes.
function ed25519(whpk) {
  const raw = Buffer.from(whpk.replace(/^whpk_/, ""), "base64");
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

function takes(Verifier, { secret, headers, body }) {
  try {
    new Verifier(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

function openly({ public: whpk, headers, body }) {
  const stamp = Number(headers["webhook-timestamp"]);
  if (!(Math.abs(Date.now() / 1000 - stamp) <= TOLERANCE)) return false;
  const start = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`);
  const signed = Buffer.concat([start, body]);
  return headers["webhook-signature"]
    .split(" ")
    .filter((one) => one.startsWith("v1a,"))
    .some((one) => verify(null, signed, ed25519(whpk), Buffer.from(one.slice(4), "base64")));
}

const { cases } = JSON.parse(readFileSync(0, "utf8"));
const verdicts = cases.map((one) => {
  const read = { ...one, body: Buffer.from(one.body, "base64") };
  return {
    standardwebhooks: one.secret ? takes(Standard, read) : null,
    svix: one.secret ? takes(Svix, read) : null,
    v1a: one.public ? openly(read) : null,
  };
});
process.stdout.write(JSON.stringify(verdicts));
