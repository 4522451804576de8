// A client registers an appeal with nothing but the contract's own types.
import type { paths } from "../build/contract";

type Register = paths["/v1/appeals"]["post"];
type Intake = Register["requestBody"]["content"]["application/json"];
type Appeal = Register["responses"][201]["content"]["application/json"];
type Problem = Register["responses"][422]["content"]["application/problem+json"];
type Headers = Register["parameters"]["header"];

export async function register(base: string, token: string, key: string): Promise<Appeal> {
  const headers: Headers = { "Idempotency-Key": key, "Accept-Language": "kk" };
  const intake: Intake = {
    service: "manholes.open-in-yard",
    kind: "message",
    channel: "phone",
    language: "ru",
    text: "Во дворе открыт люк",
  };
  const answer = await fetch(`${base}/v1/appeals`, {
    method: "POST",
    headers: { ...headers, Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(intake),
  });
  if (answer.status !== 201) {
    const problem = (await answer.json()) as Problem;
    throw new Error(`${problem.code}: ${problem.detail}`);
  }
  return (await answer.json()) as Appeal;
}
