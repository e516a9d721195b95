"""What a profile and a service may say, in characters unless the name says otherwise."""

from typing import Final

EXTERNAL_ID_MAX_LENGTH: Final = 200
NAME_MAX_LENGTH: Final = 120
SUBTITLE_MAX_LENGTH: Final = 160
BIO_MAX_LENGTH: Final = 6_000
LOCATION_MAX_LENGTH: Final = 120
PHONE_MAX_LENGTH: Final = 40
SERVICE_DESCRIPTION_MAX_LENGTH: Final = 2_000
REASON_MAX_LENGTH: Final = 1_000
CATEGORIES_MAX: Final = 10  # of one provider
SERVICES_MAX: Final = 100  # of one provider
PRICE_MAX_MINOR: Final = 100_000_000
DURATION_MIN_MINUTES: Final = 5
DURATION_MAX_MINUTES: Final = 1440
IMPORT_MAX_ROWS: Final = 500  # in one transaction, so that nobody waits long for the write lock
