"""What the catalog refuses."""

from fairground.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class PictureNotUsable(Conflict):
    code = "catalog.picture_not_usable"
    hint = "Send the picture first, and complete its upload; one that was refused says why."


class GalleryFull(Conflict):
    code = "catalog.gallery_full"
    hint = "Remove one first: DELETE /api/v1/service-provider-profiles/{provider_id}/gallery/{picture_id}."


class GalleryChanged(Conflict):
    code = "catalog.gallery_changed"
    hint = "GET /api/v1/me/provider/gallery lists what is there now; name each of them once."


class ProviderNotFound(NotFound):
    code = "catalog.provider_not_found"
    hint = "GET /api/v1/service-provider-profiles/ lists the providers there are."


class ServiceNotFound(NotFound):
    code = "catalog.service_not_found"
    hint = "GET /api/v1/service-provider-profiles/{id}/services lists what a provider offers."


class VerticalUnknown(Invalid):
    code = "catalog.vertical_unknown"
    hint = "GET /api/v1/verticals lists the verticals there are."


class CategoryUnknown(Invalid):
    code = "catalog.category_unknown"
    hint = "GET /api/v1/categories?vertical=… lists the categories of a vertical."


class ProfileInvalid(Invalid):
    code = "catalog.profile_invalid"


class ServiceInvalid(Invalid):
    code = "catalog.service_invalid"


class CurrencyUnsupported(Invalid):
    code = "catalog.currency_unsupported"
    hint = "This installation has one currency; GET /api/v1/verticals names it."


class ProfileExists(Conflict):
    code = "catalog.profile_exists"
    hint = "An account has one profile; change it with PATCH /api/v1/service-provider-profiles/{id}."


class ProfileIncomplete(Conflict):
    code = "catalog.profile_incomplete"


class StatusConflict(Conflict):
    code = "catalog.status_conflict"


class NotAProvider(Forbidden):
    code = "catalog.not_a_provider"
    hint = "Register an account with the role provider."


class StaffOnly(Forbidden):
    code = "catalog.staff_only"
