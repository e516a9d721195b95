"""Twenty rows of the Oslo list, each broken in its own way, with what must be said of it."""

from dataclasses import dataclass
from typing import Final

COLUMNS: Final = (
    "id,name,host_id,host_name,neighbourhood_group,neighbourhood,latitude,longitude,room_type,price,minimum_nights,"
    "number_of_reviews,last_review,reviews_per_month,calculated_host_listings_count,availability_365,"
    "number_of_reviews_ltm,license"
)


@dataclass(frozen=True)
class Broken:
    row: bytes
    says: str
    """Of the line on which the row starts; the first row's is 2."""
    mended: bytes
    lines: int = 1


def _row(number: int, **changes: str) -> bytes:
    usual = {"id": f"broken-{number}", "name": f'"Room {number}, bright\nand quiet"', "host_name": "Kari"}
    usual |= {"neighbourhood": "Sagene", "latitude": "59.93", "longitude": "10.76", "room_type": "Private room"}
    fields = usual | {"price": "600"} | changes
    return ",".join(fields.get(name, "") for name in COLUMNS.split(",")).encode() + b"\n"


_KINDS: Final[tuple[tuple[dict[str, str], str], ...]] = (
    ({"id": ""}, "id: it is empty; fill it in, or give external_id a default in the map."),
    ({"id": "broken-0"}, "id: 'broken-0' is already on line 2; keep one of the two."),
    ({"id": "9" * 201}, "id: it is too long (201 characters); use at most 200 characters."),
    ({"name": '" \n "'}, "name: it is empty; fill it in, or give business_name a default in the map."),
    (
        {"name": '"' + "x" * 60 + "\n" + "y" * 60 + '"'},
        "name: it is too long (121 characters); use at most 120 characters.",
    ),
    (
        {"name": '"bell\n\x07"'},
        "name: it contains U+0007 (a control character), which isn't allowed; remove it.",
    ),
    ({"host_name": "x" * 160}, "room_type, host_name: it is too long (184 characters); use at most 160 characters."),
    ({"neighbourhood": "x" * 115}, "neighbourhood: it is too long (121 characters); use at most 120 characters."),
    ({"latitude": "90.5"}, "latitude: 90.5 is out of range; it must be from -90 to 90."),
    ({"latitude": ""}, "latitude: it is empty; give both coordinates or neither."),
    (
        {"longitude": "east"},
        "longitude: 'east' is not a number; write it like 1250 or 1250.50, without other characters.",
    ),
    ({"price": "-600"}, "price: -600 is below zero; write it like 1250.50."),
    ({"price": "0"}, "price: 0 is not a price; enter a price, or leave it empty."),
    ({"price": "kr 600"}, "price: 'kr 600' is not a number; write it like 1250.50, without other characters."),
    ({"price": "inf"}, "price: 'inf' is not a number; write it like 1250.50, without other characters."),
    ({"room_type": ""}, "room_type: it is empty; fill it in, or give categories a default in the map."),
    ({"room_type": "Castle"}, "room_type: 'Castle' is not a category; use one of "),
)


def broken_rows() -> list[Broken]:
    """Return a good row, which one of the others repeats the id of, and twenty broken ones."""
    by_value = [
        Broken(_row(number, **changes), says, _row(number), lines=2)
        for number, (changes, says) in enumerate(_KINDS, start=1)
    ]
    count = len(COLUMNS.split(","))
    short = Broken(
        b"broken-18,Small room,4\n",
        f"3 values, but the header has {count} columns; quote values that contain commas, and fill every column.",
        _row(18),
    )
    foreign = Broken(
        _row(19).replace(b"Kari", "Bjørg".encode("latin-1")),
        "host_name: this is not UTF-8; save the file as UTF-8, or add encoding = ",
        _row(19),
        lines=2,
    )
    # A quote that is never closed takes everything after it with it, so it comes last.
    unclosed = Broken(
        _row(20).replace(b'quiet"', b"quiet"),
        "this is not valid CSV: unexpected end of data; close every quote, and double a quote inside quotes.",
        _row(20),
        lines=2,
    )
    return [*by_value, short, foreign, unclosed]


GOOD: Final = _row(0)
