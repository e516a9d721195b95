"""The kinds of tags that each changing route invalidates: the part of a tag before the colon."""

from typing import Final

NOTHING: Final[frozenset[str]] = frozenset()
# The public pages of a provider. Lists follow by event: discovery invalidates them with their rows.
PROVIDER: Final = frozenset({"provider"})
TIMES: Final = frozenset({"availability"})
REVIEWS: Final = frozenset({"reviews"})

_API: Final[dict[str, frozenset[str]]] = {
    "POST /admin/accounts/{user_id}/end-sessions": NOTHING,
    "POST /admin/accounts/{user_id}/restore": NOTHING,  # whether its provider is shown, providers learns by event
    "PUT /admin/accounts/{user_id}/role": NOTHING,
    "POST /admin/accounts/{user_id}/suspend": NOTHING,  # as the restoration
    "POST /admin/bookings/{booking_id}/cancel": TIMES,
    "POST /admin/bookings/{booking_id}/refund": NOTHING,
    "POST /admin/jobs/requeue-kind": NOTHING,
    "POST /admin/jobs/{job_id}/requeue": NOTHING,
    "POST /admin/mails/{mail_id}/resend": NOTHING,
    "POST /admin/providers/{provider_id}/pictures/{picture_id}/hide": PROVIDER,
    "POST /admin/providers/{provider_id}/pictures/{picture_id}/show": PROVIDER,
    "POST /admin/providers/{provider_id}/restore": PROVIDER,
    "POST /admin/providers/{provider_id}/suspend": PROVIDER,
    "POST /admin/reviews/{review_id}/hide": REVIEWS,  # the rating, providers learns by event
    "POST /admin/reviews/{review_id}/restore": REVIEWS,
    "POST /auth/login": NOTHING,
    "POST /auth/logout": NOTHING,
    "POST /auth/password-reset": NOTHING,
    "POST /auth/password-reset/confirm": NOTHING,
    "POST /auth/register": NOTHING,
    "POST /auth/verify-email": NOTHING,
    "POST /auth/verify-email/send": NOTHING,
    "POST /bookings": TIMES,
    "POST /bookings/{booking_id}/accept": NOTHING,  # the time was taken when it was held
    "POST /bookings/{booking_id}/cancel": TIMES,
    "POST /bookings/{booking_id}/complete": NOTHING,  # what it counts, providers learns by event
    "POST /bookings/{booking_id}/decline": TIMES,
    "POST /bookings/{booking_id}/messages": NOTHING,  # messages and read marks are private
    "PUT /bookings/{booking_id}/messages/read": NOTHING,
    "POST /bookings/{booking_id}/pay": NOTHING,
    "POST /media": NOTHING,  # a picture is private until a provider chooses it
    "POST /media/uploads": NOTHING,
    "POST /media/uploads/{picture_id}/complete": NOTHING,
    "PATCH /media/{picture_id}": NOTHING,  # as the next
    "DELETE /media/{picture_id}": NOTHING,  # who shows it, providers learns by event
    "POST /me/notifications/read": NOTHING,
    "POST /auth/change-email": NOTHING,
    "PATCH /me": NOTHING,
    "POST /me/become-provider": NOTHING,
    "POST /me/close": NOTHING,  # providers and reviews learn it by event
    "POST /me/email": NOTHING,
    "DELETE /me/email": NOTHING,
    "POST /me/password": NOTHING,
    "DELETE /me/sessions/{session_id}": NOTHING,
    "POST /me/tokens": NOTHING,
    "POST /ops/migrate-profile-images-to-files": NOTHING,  # a job follows it
    "POST /ops/migrate-service-media-to-files": NOTHING,
    "POST /ops/cache/invalidate": frozenset({"everything"}),
    "POST /provider-claims/{claim_id}/grant": PROVIDER,
    "POST /provider-claims/{claim_id}/refuse": NOTHING,
    "POST /reviews": REVIEWS,  # the rating, providers learns by event
    "POST /sandbox/3d-secure/{intent_id}/{token}": NOTHING,
    "POST /service-provider-profiles/": NOTHING,  # a draft is private
    "PATCH /service-provider-profiles/{provider_id}": PROVIDER,
    "POST /service-provider-profiles/{provider_id}/approve": PROVIDER,
    "PUT /service-provider-profiles/{provider_id}/availability-rules": TIMES,
    "POST /service-provider-profiles/{provider_id}/claims": NOTHING,  # staff decides
    "POST /service-provider-profiles/{provider_id}/gallery": PROVIDER,
    "PUT /service-provider-profiles/{provider_id}/gallery": PROVIDER,
    "DELETE /service-provider-profiles/{provider_id}/gallery/{picture_id}": PROVIDER,
    "PUT /service-provider-profiles/{provider_id}/picture": PROVIDER,
    "POST /service-provider-profiles/{provider_id}/reject": NOTHING,  # it was private before
    "POST /service-provider-profiles/{provider_id}/services": PROVIDER,
    "PUT /service-provider-profiles/{provider_id}/services/order": PROVIDER,
    "DELETE /service-provider-profiles/{provider_id}/services/{service_id}": PROVIDER,
    "PATCH /service-provider-profiles/{provider_id}/services/{service_id}": PROVIDER,
    "POST /service-provider-profiles/{provider_id}/services/{service_id}/duplicate": PROVIDER,
    "POST /service-provider-profiles/{provider_id}/services/{service_id}/pause": PROVIDER,
    "POST /service-provider-profiles/{provider_id}/services/{service_id}/resume": PROVIDER,
    "POST /service-provider-profiles/{provider_id}/submit": NOTHING,
    "POST /webhooks/stripe": NOTHING,  # written down; a job follows it
}
_PAGES: Final[dict[str, frozenset[str]]] = {
    "POST /admin/accounts/{user_id}/end-sessions": NOTHING,
    "POST /admin/accounts/{user_id}/restore": NOTHING,
    "POST /admin/accounts/{user_id}/role": NOTHING,
    "POST /admin/accounts/{user_id}/suspend": NOTHING,
    "POST /admin/bookings/{booking_id}/cancel": TIMES,
    "POST /admin/bookings/{booking_id}/refund": NOTHING,
    "POST /admin/approvals/{provider_id}/approve": PROVIDER,
    "POST /admin/approvals/{provider_id}/pictures/{picture_id}/hide": PROVIDER,
    "POST /admin/approvals/{provider_id}/pictures/{picture_id}/show": PROVIDER,
    "POST /admin/approvals/{provider_id}/reject": NOTHING,
    "POST /admin/approvals/{provider_id}/restore": PROVIDER,
    "POST /admin/approvals/{provider_id}/suspend": PROVIDER,
    "POST /admin/reviews/{review_id}/hide": REVIEWS,
    "POST /admin/reviews/{review_id}/restore": REVIEWS,
    "POST /admin/claims/{claim_id}/grant": PROVIDER,
    "POST /admin/claims/{claim_id}/refuse": NOTHING,
    "POST /admin/jobs/requeue": NOTHING,
    "POST /admin/jobs/{job_id}/requeue": NOTHING,
    "POST /admin/mail/jobs/{job_id}/requeue": NOTHING,
    "POST /admin/mail/{mail_id}/resend": NOTHING,
    "POST /admin/migrations/{subject}": NOTHING,  # a job follows it
    "POST /book/h/{booking_id}": NOTHING,
    "POST /book/h/{booking_id}/release": TIMES,
    "POST /book/{slug}": TIMES,
    "POST /claim": PROVIDER,
    "POST /login": NOTHING,
    "POST /media/uploads": NOTHING,  # in quarantine
    "POST /logout": NOTHING,
    "POST /me/bookings/{booking_id}/accept": NOTHING,
    "POST /me/bookings/{booking_id}/cancel": TIMES,
    "POST /me/bookings/{booking_id}/complete": NOTHING,
    "POST /me/bookings/{booking_id}/decline": TIMES,
    "POST /me/bookings/{booking_id}/messages": NOTHING,
    "POST /me/bookings/{booking_id}/review": REVIEWS,
    "POST /change-email": NOTHING,
    "POST /me/close": NOTHING,  # providers and reviews learn it by event
    "POST /me/email": NOTHING,
    "POST /me/email/cancel": NOTHING,
    "POST /me/password": NOTHING,
    "POST /me/settings": NOTHING,
    "POST /pro/start": NOTHING,
    "POST /me/sessions/{session_id}/revoke": NOTHING,
    "POST /me/tokens": NOTHING,
    "POST /p/{id_or_slug}/claim": NOTHING,  # staff decides
    "POST /password-reset": NOTHING,
    "POST /pro/hours": TIMES,
    "POST /pro/hours/time-off": TIMES,
    "POST /pro/hours/time-off/remove": TIMES,
    "POST /pro/hours/pause": TIMES,
    "POST /pro/hours/resume": TIMES,
    "POST /_f/pro/pictures/{picture_id}/gallery": PROVIDER,
    "POST /_f/pro/pictures/{picture_id}/portrait": PROVIDER,
    "POST /pro/pictures/gallery": PROVIDER,
    "POST /pro/pictures/portrait": PROVIDER,
    "POST /pro/pictures/portrait/remove": PROVIDER,
    "POST /pro/pictures/{picture_id}/alt": NOTHING,  # in whose gallery it is, providers learns by event
    "POST /pro/pictures/{picture_id}/move": PROVIDER,
    "POST /pro/pictures/{picture_id}/portrait": PROVIDER,
    "POST /pro/pictures/{picture_id}/remove": PROVIDER,
    "POST /pro/profile": PROVIDER,
    "POST /pro/services": PROVIDER,
    "POST /pro/services/{service_id}": PROVIDER,
    "POST /pro/services/{service_id}/duplicate": PROVIDER,
    "POST /pro/services/{service_id}/move": PROVIDER,
    "POST /pro/services/{service_id}/pause": PROVIDER,
    "POST /pro/services/{service_id}/resume": PROVIDER,
    "POST /pro/services/{service_id}/withdraw": PROVIDER,
    "POST /pro/submit": NOTHING,
    "POST /reset-password": NOTHING,
    "POST /signup": NOTHING,
    "POST /verify-email": NOTHING,
    "POST /verify-email/send": NOTHING,
}
INVALIDATED_BY: Final = {f"{key.split()[0]} /api/v1{key.split()[1]}": kinds for key, kinds in _API.items()} | _PAGES
