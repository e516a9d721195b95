"""Reviews of one provider are varied."""

from collections import Counter
from random import Random

from fairground.ops.demo.bookings import STARS, ReviewWriter
from fairground.ops.demo.vocabulary import load_vocabulary

REVIEWS = load_vocabulary().reviews


def write(count: int) -> list[tuple[int, str]]:
    writer = ReviewWriter(Random(1), REVIEWS, vertical="chefs", given="Greta")
    reviews = [writer.review_provider() for _ in range(count)]
    return [(review.rating, review.text) for review in reviews]


def test_sentence_of_a_review_is_repeated_only_after_all_others() -> None:
    texts = " ".join(text for rating, text in write(8) if rating == 5)
    said = Counter({text: texts.count(text.format(given="Greta")) for text in REVIEWS.by_stars["chefs"][5]})
    assert max(said.values()) == 1


def test_stars_are_spread_as_planned() -> None:
    counts = Counter(rating for rating, _ in write(5000))
    assert set(counts) == set(STARS)
    assert all(abs(counts[stars] / 50 - percent) < 3 for stars, percent in STARS.items())


def test_the_provider_is_called_by_name() -> None:
    texts = [text for _, text in write(200)]
    assert any("Greta" in text for text in texts)
    assert not any("{" in text for text in texts)
