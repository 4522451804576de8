// GraphiQL on the city's own graph: nothing is asked of any other host.
"use strict";

const ENDPOINT = "/graphql";
const FORM = "application/graphql-response+json, application/json;q=0.9";

// The operation that runs, of a document that may hold several.
function isSubscription(params, options) {
  const definitions = (options && options.documentAST && options.documentAST.definitions) || [];
  const operations = definitions.filter((each) => each.kind === "OperationDefinition");
  const chosen = params.operationName
    ? operations.find((each) => each.name && each.name.value === params.operationName)
    : operations[0];
  return Boolean(chosen) && chosen.operation === "subscription";
}

function send(params, headers, accept, signal) {
  return fetch(ENDPOINT, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify(params),
    signal,
  });
}

// One operation as server-sent events (graphql-sse, distinct connections mode).
async function* follow(params, headers) {
  const stop = new AbortController();
  try {
    const answer = await send(params, headers, "text/event-stream", stop.signal);
    if (!(answer.headers.get("content-type") || "").startsWith("text/event-stream")) {
      yield await answer.json();
      return;
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let waiting = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (waiting + value).split("\n\n");
      waiting = parts.pop();
      for (const part of parts) {
        const event = /^event: (.*)$/m.exec(part);
        const data = /^data: (.*)$/m.exec(part);
        if (event && event[1] === "complete") return;
        if (event && event[1] === "next") yield JSON.parse(data[1]);
      }
    }
  } finally {
    stop.abort();
  }
}

// The token of the page goes with every tab that names no other.
function withToken(headers) {
  const token = document.getElementById("token").value.trim().replace(/^Bearer\s+/i, "");
  const named = Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
  return token && !named ? { ...headers, Authorization: `Bearer ${token}` } : headers;
}

function fetcher(params, options) {
  const headers = withToken((options && options.headers) || {});
  if (isSubscription(params, options)) return follow(params, headers);
  return send(params, headers, FORM).then((answer) => answer.json());
}

async function start() {
  const answer = await fetch("/graphiql/examples.json");
  const examples = await answer.json();
  const headers = JSON.stringify({ "Accept-Language": "ru" }, null, 2);
  const tabs = examples.map(({ query, variables }) => ({
    query,
    variables: variables ? JSON.stringify(variables, null, 2) : "",
    headers,
  }));
  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultTabs: tabs,
      defaultHeaders: headers,
      defaultEditorToolsVisibility: "variables",
    }),
  );
}

start();
