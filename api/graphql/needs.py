"""What evidence a service wants, as a type of the graph."""

from api.graphql.derive import view_type
from api.rest.evidence import NeedView

Need = view_type(NeedView)
