"""What is learnt from, what is measured with, and that the two never meet."""

from collections import Counter

from rapidfuzz import fuzz

from domain.catalogue.letters import words
from integrations.triage import corpus, evaluation
from integrations.triage.corpus import Example
from tests.support.starter import PHRASES, starter


def taught() -> list[Example]:
    return [*corpus.of_catalogue(starter()), *corpus.read_spoken(PHRASES),
            *corpus.read_labelled(PHRASES)]  # fmt: skip


def test_every_label_is_a_service_of_the_catalogue():
    asked = [one for file in corpus.ASKED.values() for one in corpus.read_asked(PHRASES / file)]
    named = {code for one in [*taught(), *asked] for code in one.services}
    assert named <= {service.code for service in starter().services}
    assert len(corpus.read_labelled(PHRASES)) >= 2 * 300
    assert {one.speech for one in asked} == {"kk", "ru", "mixed", "typo"}


def test_no_phrase_is_both_taught_and_asked():
    learnt = {" ".join(words(one.text)) for one in taught()}
    for file in corpus.ASKED.values():
        asked = {" ".join(words(one.text)) for one in corpus.read_asked(PHRASES / file)}
        assert asked
        assert asked & learnt == set()


def test_no_fold_learns_a_near_duplicate_of_what_it_is_asked():
    labelled = corpus.read_labelled(PHRASES)
    seen: Counter[str] = Counter()
    for learnt, held in evaluation.folds(labelled):
        assert {one.group for one in learnt}.isdisjoint(one.group for one in held)
        seen.update(one.text for one in held)
        # The scorer of the groups itself: nothing in the fold is alike enough to be the same.
        for one in held[:12]:
            told = " ".join(w for w in words(one.text) if not w.isdigit())
            for other in learnt:
                if other.speech == one.speech:
                    there = " ".join(w for w in words(other.text) if not w.isdigit())
                    assert fuzz.token_sort_ratio(told, there) < corpus.ALIKE
    assert sum(seen.values()) == len(labelled)


def test_both_languages_of_a_row_and_its_copies_are_one_group():
    groups = corpus.grouped(
        [
            ("Лифт жүрмейді", "Лифт не работает уже три дня"),
            ("Су жоқ", "Нет воды"),
            ("Лифт жүрмей тұр", "Лифт не работает уже 3 дня"),
            ("Басқа сөз", "Лифт уже три дня не работает"),
        ]
    )
    assert groups[0] == groups[2] == groups[3] != groups[1]


def test_what_is_said_many_times_weighs_less():
    weights = {one.group: one.weight for one in corpus.read_labelled(PHRASES)}
    sizes = Counter(one.group for one in corpus.read_labelled(PHRASES) if one.speech == "ru")
    assert max(sizes.values()) > 20
    assert all(abs(weights[group] - size**-0.5) < 1e-9 for group, size in sizes.items())


def test_shares_count_a_text_and_its_copies_once():
    asked = [
        evaluation.Asked(Example("а", ("x",), "ru", group=1), {"triage": ["x"]}, False),
        evaluation.Asked(Example("а!", ("x",), "ru", group=1), {"triage": ["x"]}, False),
        evaluation.Asked(Example("б", ("y",), "ru", group=2), {"triage": ["z", "y"]}, False),
    ]
    (score,) = evaluation.scores("t", asked)
    assert (score.count, score.first, score.among_three) == (2, 0.5, 1.0)
