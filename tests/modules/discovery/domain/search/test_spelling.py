import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.modules.discovery.domain.search.spelling import (
    SHORTEST,
    beginning,
    mistakes_forgiven,
    near,
    shortened,
    similarity_percent,
)

WORDS = st.text("abcdeéшω", min_size=SHORTEST, max_size=14)


@st.composite
def mistyped(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a word, and the word with one mistake, or two where two are forgiven."""
    word = draw(WORDS)
    typed = word
    for _ in range(draw(st.integers(1, mistakes_forgiven(word)))):
        at = draw(st.integers(0, len(typed) - 1))
        letter = draw(st.sampled_from("abcdxш"))
        typed = draw(
            st.sampled_from(
                [
                    typed[:at] + typed[at + 1 :],
                    typed[:at] + letter + typed[at:],
                    typed[:at] + letter + typed[at + 1 :],
                    typed[:at] + typed[at : at + 2][::-1] + typed[at + 2 :],
                ]
            )
        )
    return word, typed


@given(mistyped())
def test_a_forgiven_mistake_leaves_a_shortened_spelling_in_common(pair: tuple[str, str]) -> None:
    word, typed = pair
    percent = similarity_percent(typed, word)
    if percent and mistakes_forgiven(word) >= mistakes_forgiven(typed):
        assert not shortened(word).isdisjoint(shortened(typed))


@given(WORDS, WORDS)
def test_similarity_counts_mistakes_as_the_definition_says(typed: str, word: str) -> None:
    mistakes = _defined(typed, word)
    expected = 100 - 100 * mistakes // max(len(typed), len(word)) if mistakes <= mistakes_forgiven(typed) else 0
    assert similarity_percent(typed, word) == expected


def _defined(left: str, right: str) -> int:
    """Return the distance by its recursive definition, with everything written down once."""
    known: dict[tuple[int, int], int] = {}

    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        if (i, j) not in known:
            ways = [distance(i - 1, j) + 1, distance(i, j - 1) + 1]
            ways.append(distance(i - 1, j - 1) + (left[i - 1] != right[j - 1]))
            if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
                ways.append(distance(i - 2, j - 2) + 1)
            known[i, j] = min(ways)
        return known[i, j]

    return distance(len(left), len(right))


@pytest.mark.parametrize(("word", "forgiven"), [("bar", 0), ("band", 1), ("12345", 0), ("pianist", 1), ("musician", 2)])
def test_short_words_and_numbers_must_be_typed_right(word: str, forgiven: int) -> None:
    assert mistakes_forgiven(word) == forgiven


def test_a_word_is_kept_under_few_spellings() -> None:
    assert shortened("band") == {"band", "and", "bnd", "bad", "ban"}
    assert max(len(shortened(word)) for word in ("abcdefgh", "abcdefghijklmnopqrst")) == 29
    assert beginning("abcdefghij") == "abcdefg"


def test_a_word_that_is_known_is_no_mistake() -> None:
    assert near("band", ["band", "bend"]) == {}
    assert near("band", ["bend", "bands", "brand", "sand", "wind", "banana"]) == {
        "bend": 75,
        "bands": 80,
        "brand": 80,
        "sand": 75,
    }
