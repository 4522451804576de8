"""The derived types that the nodes name.

Imported after the rooms of the nodes that views lead to (derive.py: EDGES).
"""

from api.graphql import catalogue, organisations  # noqa: F401 (they fill EDGES)
from api.graphql.derive import view_type
from api.rest import views
from api.rest.attachments import AttachmentView
from api.rest.evidence import AskedView
from api.rest.history import EventView
from api.rest.legal_views import LeadingView, LegalView

Location = view_type(views.LocationView)
Applicant = view_type(views.ApplicantView)
Assignment = view_type(views.AssignmentView)
Clock = view_type(views.ClockView)
Route = view_type(views.RouteView)
Pause = view_type(views.PauseView)
Confirmation = view_type(views.ConfirmationView)
Evidence = view_type(AskedView)
Legal = view_type(LegalView)
Leading = view_type(LeadingView)
Extension = view_type(views.WishView)
AppealEvent = view_type(EventView)
Attachment = view_type(AttachmentView)
