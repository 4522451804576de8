// The page in which a form is drawn. `show` draws it; `sent` holds what its button did.

import { createElement as h, useRef } from "react";
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import Form from "@rjsf/core";
import { customizeValidator } from "@rjsf/validator-ajv8";
import { JsonForms } from "@jsonforms/react";
import { vanillaCells, vanillaRenderers } from "@jsonforms/vanilla-renderers";

const validator = customizeValidator({ AjvClass: Ajv2020 });

const ajv = addFormats(
  new Ajv2020({ allErrors: true, verbose: true, strict: false, addUsedSchema: false }),
);

const missing = (errors) =>
  errors.filter((error) => (error.name ?? error.keyword) === "required")
    .map((error) => error.params.missingProperty);

const refuse = (errors) => {
  window.sent = {
    accepted: false,
    missing: missing(errors),
    errors: errors.map((error) => error.stack ?? `${error.instancePath} ${error.message}`),
  };
};

const accept = (answers) => {
  window.sent = { accepted: true, answers };
};

// What a host must set: by itself rjsf answers for the person, with the first choice and with “no”.
const UNANSWERED = { constAsDefaults: "skipOneOf", requiredBooleanDefault: "skip" };

// The browser's own checks are off: the schema alone must do the refusing.
const Rjsf = ({ schema }) =>
  h(Form, {
    schema,
    validator,
    noHtml5Validate: true,
    experimental_defaultFormStateBehavior: UNANSWERED,
    onSubmit: ({ formData }) => accept(formData ?? {}),
    onError: refuse,
  });

// JSON Forms draws no button of its own: its host sends when it reports no errors.
const Json = ({ schema }) => {
  const state = useRef({ data: {}, errors: null });
  const submit = () => {
    const { data, errors } = state.current;
    if (errors === null) throw new Error("JSON Forms has not validated");
    if (errors.length) refuse(errors);
    else accept(data);
  };
  return h("div", null,
    h(JsonForms, {
      schema,
      data: {},
      ajv,
      renderers: vanillaRenderers,
      cells: vanillaCells,
      validationMode: "ValidateAndShow",
      onChange: (next) => { state.current = next; },
    }),
    h("button", { type: "submit", onClick: submit }, "→"));
};

const LIBRARIES = { rjsf: Rjsf, jsonforms: Json };
let root;

window.show = (library, schema) => {
  root?.unmount();
  window.sent = undefined;
  const place = document.createElement("main");
  document.body.replaceChildren(place);
  root = createRoot(place);
  flushSync(() => root.render(h(LIBRARIES[library], { schema })));
};
