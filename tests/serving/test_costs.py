"""How long a version takes is learnt by the size of what it is asked, and decides where the next runs."""

from foretell.serving.costs import Cost


def test_a_size_that_was_never_seen_may_take_for_ever() -> None:
    assert Cost().expected_s(100) == float("inf")


def test_each_size_is_learnt_by_itself() -> None:
    cost = Cost()
    cost.learn(100, 0.001)
    cost.learn(100_000, 0.5)

    assert cost.expected_s(120) == 0.001
    assert cost.expected_s(100_000) == 0.5
    assert cost.expected_s(5_000) == float("inf")


def test_one_slow_answer_does_not_make_a_model_slow_but_many_do() -> None:
    cost = Cost()
    cost.learn(100, 0.001)

    cost.learn(100, 0.01)
    assert cost.expected_s(100) < 0.002
    for _ in range(50):
        cost.learn(100, 0.01)
    assert cost.expected_s(100) > 0.009
