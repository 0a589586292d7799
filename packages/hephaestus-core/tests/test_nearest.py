"""The name that was probably meant."""

from hephaestus.nearest import did_you_mean, nearest, no_option


def test_the_most_similar_name_is_the_nearest() -> None:
    assert "charge_payment" == nearest("charge_paymnet", ["charge", "charge_payment", "refund"])


def test_a_name_like_no_other_has_none_near() -> None:
    assert nearest("ship", ["charge", "refund"]) is None


def test_a_hint_is_given_only_where_there_is_one() -> None:
    assert "; did you mean 'valid'?" == did_you_mean("vaild", ["valid", "invalid"])
    assert "" == did_you_mean("ship", ["charge"])


def test_an_option_that_does_not_exist_is_told_with_those_that_do() -> None:
    assert "it has no option 'tag'; did you mean 'tags'? (options: name, tags)" == no_option(
        "it", "tag", ["name", "tags"]
    )
