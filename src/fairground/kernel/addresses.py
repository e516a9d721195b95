"""Postal addresses, as a body of the API, as part of a form, and as JSON in a row."""

from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fairground.kernel.text import TextRefused, clean_line, require_line

LINE_MAX_LENGTH: Final = 120
POSTAL_CODE_MAX_LENGTH: Final = 20

# ISO 3166-1 alpha-2, the officially assigned codes as of 2026-01.
COUNTRIES: Final = frozenset(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA"
    " CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA"
    " GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP"
    " KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS"
    " MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS"
    " RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW"
    " TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW".split()
)


def _required(text: str) -> str:
    try:
        return require_line(text, most=LINE_MAX_LENGTH)
    except TextRefused as refused:
        raise ValueError(str(refused)) from refused


def _optional(text: str | None) -> str | None:
    try:
        return clean_line(text or "", most=LINE_MAX_LENGTH) or None
    except TextRefused as refused:
        raise ValueError(str(refused)) from refused


def _country(code: str) -> str:
    if code.upper() not in COUNTRIES:
        raise ValueError(f"{code!r} is no country of ISO 3166-1; write two letters, such as NO or US")
    return code.upper()


class Address(BaseModel):
    """A place that a person can go to. Texts are trimmed and cleaned by `kernel.text`; blank optional ones are None."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    street: Annotated[str, Field(max_length=4 * LINE_MAX_LENGTH), AfterValidator(_required)]
    """With the house number."""
    details: Annotated[str | None, Field(max_length=4 * LINE_MAX_LENGTH), AfterValidator(_optional)] = None
    """Floor, name on the bell, entry code."""
    postal_code: Annotated[str | None, Field(max_length=POSTAL_CODE_MAX_LENGTH), AfterValidator(_optional)] = None
    city: Annotated[str, Field(max_length=4 * LINE_MAX_LENGTH), AfterValidator(_required)]
    country: Annotated[str, AfterValidator(_country)]
    """ISO 3166-1 alpha-2."""
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None
    """Degrees, with `lng`, where the sender knows them; there is no geocoder here."""
    lng: Annotated[float | None, Field(ge=-180, le=180)] = None

    @model_validator(mode="after")
    def _coordinates_come_together(self) -> Self:
        if (self.lat is None) != (self.lng is None):
            raise ValueError("lat and lng come together; send both, or neither")
        return self

    @classmethod
    def read(cls, stored: object) -> Self | None:
        """Return the address of a row's JSON; None of an empty column."""
        # What a newer version has stored besides is ignored, so that going back to this one leaves rows readable.
        return None if stored is None else cls.model_validate(stored, extra="ignore")

    def as_row(self) -> dict[str, Any]:
        """Return the JSON that `read` reads."""
        return self.model_dump(mode="json", exclude_none=True)

    def lines(self) -> list[str]:
        """Return the address as it is written on an envelope, without the country."""
        town = " ".join(filter(None, (self.postal_code, self.city)))
        return [line for line in (self.street, self.details, town) if line]
