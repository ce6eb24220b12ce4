"""Checks print a judgement; a trial notices a check that is too mild, too strict, or silent."""

import functools

import pytest

from mfca_tutorial.show.exercises import checked, trial


def double(x):
    """The solution of the exercise below."""
    return 2 * x


@checked
def check_double():
    # raised by hand: pytest would add to the message of an assertion
    if double(3) != 6:
        raise AssertionError("twice 3 is 6")
    if double(0) != 0:
        raise AssertionError


def unsolved(x):
    raise NotImplementedError


def by_adding(x):
    return x + x


def square(x):
    return x * x


def half(x):
    return 6 if x else 1


def judged(monkeypatch, capsys, answer):
    """What the check prints about an answer."""
    monkeypatch.setitem(globals(), "double", answer)
    check_double()
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "answer, printed",
    [(unsolved, "not solved yet\n"), (square, "not yet: twice 3 is 6\n"), (by_adding, "correct\n")],
)
def test_a_check_prints_its_judgement(monkeypatch, capsys, answer, printed):
    assert judged(monkeypatch, capsys, answer) == printed


def test_errors_of_an_answer_are_left_to_the_reader(monkeypatch):
    monkeypatch.setitem(globals(), "double", lambda: 0)
    with pytest.raises(TypeError):
        check_double()


def test_a_trial_prints_messages_and_restores_the_solution(capsys):
    before = double
    trial(check_double, "double", wrong=[square], right=[by_adding])
    assert capsys.readouterr().out == "square: twice 3 is 6\n"
    assert double is before


@pytest.mark.parametrize(
    "wrong, right, complaint",
    [
        ([by_adding], [], "accepted: by adding"),
        ([half], [], "rejected without a message: half"),
        ([], [square], "twice 3 is 6"),
    ],
)
def test_a_trial_notices_a_bad_check(wrong, right, complaint):
    before = double
    with pytest.raises(AssertionError, match=complaint):
        trial(check_double, "double", wrong=wrong, right=right)
    assert double is before


def test_an_answer_may_be_several_functions():
    names = {"there": lambda x: x + 1, "back": lambda x: x - 1}

    # a notebook's namespace of its own
    source = "def check():\n    assert back(there(5)) == 5, 'not the way back'"
    exec(source, names)
    check = checked(names["check"])
    pair = (lambda x: x + 2, lambda x: x - 2)
    trial(check, "there", "back", wrong=[(lambda x: x, lambda x: x - 1)], right=[pair])


def test_a_check_may_have_other_decorators(monkeypatch, capsys):
    @checked
    @functools.cache
    def check():
        raise AssertionError("no")

    with pytest.raises(AssertionError, match="no"):
        trial(check, "double", wrong=[], right=[by_adding])
