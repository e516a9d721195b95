"""Invents what people say of each other after a booking."""

from random import Random

from fairground.ops.demo.plan import DemoReview
from fairground.ops.demo.vocabulary import Reviews

STARS = {5: 66, 4: 24, 3: 8, 2: 2}  # percent; a list of nothing but five stars could not be sorted
SECOND_SENTENCE_SHARE = {5: 0.4, 4: 0.3}  # who is content says more


class ReviewWriter:
    """Writes the reviews of one provider without saying the same thing twice in a row."""

    def __init__(self, chance: Random, reviews: Reviews, *, vertical: str, given: str) -> None:
        self._chance = chance
        self._given = given
        self._about_provider = reviews.by_stars[vertical]
        self._about_customers = reviews.about_customers
        self._unsaid: dict[int, list[str]] = {}

    def review_provider(self) -> DemoReview:
        rating = self._chance.choices(list(STARS), weights=list(STARS.values()))[0]
        sentences = [self._say(rating)]
        if self._chance.random() < SECOND_SENTENCE_SHARE.get(rating, 0):
            sentences.append(self._say(rating))
        return DemoReview(rating=rating, text=" ".join(sentences))

    def review_customer(self) -> DemoReview:
        return DemoReview(rating=self._chance.choice([5, 5, 5, 4]), text=self._chance.choice(self._about_customers))

    def _say(self, rating: int) -> str:
        unsaid = self._unsaid.setdefault(rating, [])
        if not unsaid:
            texts = self._about_provider[rating]
            unsaid.extend(self._chance.sample(texts, k=len(texts)))
        return unsaid.pop().format(given=self._given)
