"""A process that makes intents one after another until it is killed; each acknowledged one is printed."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from fairground.sandbox.stripe.sandbox import Faults, StripeSandbox


class ShiftedClock:
    """Real time, moved: locks that the predecessor took with it have lapsed."""

    def __init__(self, *, seconds: float) -> None:
        self._shift = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift


async def take(_body: bytes, _headers: dict[str, str]) -> int:
    return 200


async def main(path: Path, *, first: int, shift_seconds: float) -> None:
    clock = ShiftedClock(seconds=shift_seconds)
    sandbox = StripeSandbox(path=path, pages_url="http://shop.test", deliver=take, clock=clock, faults=Faults())
    headers = {"authorization": f"Bearer {await sandbox.api_key()}"}
    transport = httpx.ASGITransport(sandbox.api)
    async with httpx.AsyncClient(transport=transport, base_url="http://stripe.test", headers=headers) as client:
        for number in range(first, sys.maxsize):
            form = {
                "amount": "500",
                "currency": "eur",
                "capture_method": "manual",
                "confirm": "true",
                "payment_method": "pm_card_visa",
                "metadata[number]": str(number),
            }
            answer = await client.post("/v1/payment_intents", data=form, headers={"idempotency-key": f"key-{number}"})
            print(answer.raise_for_status().json()["id"], flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), first=int(sys.argv[2]), shift_seconds=float(sys.argv[3])))
