"""Documents, parsed and judged once: the same text is neither parsed nor validated again.

A small query spends two milliseconds on its validation and a third of one on all the rest, and
programs send the same few documents for ever.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, specified_rules, validate
from graphql.validation import ASTValidationRule
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

KEPT = 1000
LONGEST = 20_000
"""Characters of a document that is kept; what is longer is judged each time."""
MOST_ERRORS = 20

Rules = Sequence[type[ASTValidationRule]]
RULES: Rules = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document, or what is wrong with it."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()


class Documents:
    """A bounded memory of documents, those longest unasked forgotten first."""

    def __init__(
        self,
        schema: GraphQLSchema,
        rules: Rules = RULES,
        *,
        parser: Callable[[str], DocumentNode] = parse,
        kept: int = KEPT,
    ) -> None:
        self._schema = schema
        self._rules = rules
        self._parse = parser
        self._kept = kept
        self._known: OrderedDict[str, Prepared] = OrderedDict()

    def prepare(self, text: str) -> Prepared:
        """The document of a text, validated."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        prepared = self._judge(text)
        if len(text) <= LONGEST:
            self._known[text] = prepared
            if len(self._known) > self._kept:
                self._known.popitem(last=False)
        return prepared

    def _judge(self, text: str) -> Prepared:
        try:
            document = self._parse(text)
        except GraphQLError as error:
            return Prepared(None, (error,))
        errors = validate(
            self._schema, document, self._rules, max_errors=MOST_ERRORS, hide_suggestions=True
        )
        return Prepared(None if errors else document, tuple(errors))
