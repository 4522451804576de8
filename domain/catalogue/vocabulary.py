"""The keywords of JSON Schema 2020-12 that a form may use, by how their values are read.

Source: https://json-schema.org/draft/2020-12 (core, applicator, validation, annotation).
"""

MAPS_OF_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
"""Keywords whose value maps free names to schemas."""

RAW = frozenset(
    {"const", "enum", "default", "examples", "required", "dependentRequired", "$comment"}
)
"""Keywords whose value is data, never a schema."""

APPLICATORS = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "contains", "propertyNames"}
    | {"items", "prefixItems", "additionalProperties"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)

ASSERTIONS = frozenset(
    {"type", "format", "pattern", "minLength", "maxLength", "uniqueItems", "multipleOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minItems", "maxItems", "minContains", "maxContains", "minProperties", "maxProperties"}
)

ANNOTATIONS = frozenset({"title", "description", "readOnly", "writeOnly", "deprecated"})

REFERENCES = frozenset(
    {"$schema", "$id", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary"}
)

KEYWORDS = MAPS_OF_SCHEMAS | RAW | APPLICATORS | ASSERTIONS | ANNOTATIONS | REFERENCES
