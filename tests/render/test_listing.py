"""Long lists in JSON, read one item at a time."""

import json

import pytest

from dropscribe.render.listing import head, items


def test_the_items_are_those_of_the_list_that_is_named() -> None:
    text = '{"text": "\\n \\"list\\": [9",\n "list": [\n  {"a": [1]},\n  2]\n}\n'

    assert json.loads(text)["list"] == list(items(text, '\n "list": ['))
    assert list(items('{\n"none": []}', '\n"none": [')) == []


@pytest.mark.parametrize("text", ['{"list": []}', '{\n"list": [{]}', '{\n"list": [1, oops]}'])
def test_what_is_no_such_list_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(items(text, '\n"list": ['))


def test_the_head_is_what_stands_before_the_list() -> None:
    assert head('{"a": "b",\n"list": [1, 2]}', '\n"list": [') == {"a": "b", "list": []}
    with pytest.raises(ValueError, match=r"."):
        head('"a": "b",\n"list": [1]}', '\n"list": [')
