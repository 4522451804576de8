// A client of the graph with nothing but generated types: asks, registers, follows.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { createClient } from "graphql-ws";
import { AppealStatus, FollowDocument, InWorkDocument, RegisterDocument } from "../build/graph";
import type { FollowSubscription, RegisterMutationVariables } from "../build/graph";

type Answer<Data> = { data?: Data; errors?: { message: string }[] };

export async function ask<Data, Variables>(
  base: string,
  token: string,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch(`${base}/graphql`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const answer = (await response.json()) as Answer<Data>;
  if (!answer.data) throw new Error(answer.errors?.[0]?.message ?? "no data");
  return answer.data;
}

export async function overdue(base: string, token: string): Promise<string[]> {
  const page = await ask(base, token, InWorkDocument, { first: 50 });
  const nodes = page.appeals?.nodes ?? [];
  return nodes.flatMap((each) =>
    each && each.status === AppealStatus.Assigned && each.dueAt && each.dueAt < new Date().toISOString()
      ? [each.number]
      : [],
  );
}

export async function register(
  base: string,
  token: string,
  input: RegisterMutationVariables["input"],
): Promise<string> {
  const key = crypto.randomUUID();
  const { registerAppeal: outcome } = await ask(base, token, RegisterDocument, { input, key });
  switch (outcome.__typename) {
    case "RegisteredPayload":
      return outcome.appeal?.number ?? "";
    case "InvalidProblem":
      throw new Error(outcome.faults.map((fault) => fault.pointer).join(", "));
    default:
      throw new Error(outcome.message);
  }
}

export async function follow(base: string, token: string, told: (entry: FollowSubscription) => void) {
  const client = createClient({
    url: `${base.replace("http", "ws")}/graphql`,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  const query = print(FollowDocument);
  for await (const entry of client.iterate<FollowSubscription>({ query })) {
    if (entry.data) told(entry.data);
  }
}
