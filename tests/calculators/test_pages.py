"""Calculations in Markdown pages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.calculators import expand, run_line
from mlsys_path.errors import UserError

PAGE = """\
# Memory

Sharded:

```calc
memory --params 7.5e9 --dp 64 --zero 3
```

and more.
"""


def test_a_block_becomes_its_command_and_its_table():
    text = expand(PAGE)
    table = run_line("memory --params 7.5e9 --dp 64 --zero 3").table()
    assert text == PAGE.replace("```calc\nmemory", "```text\n$ mlsys-path calc memory").replace(
        "--zero 3\n", "\n".join(["--zero 3", *table, ""])
    )
    assert "on one device" in text
    assert "1.875 GB" in text


def test_several_lines_are_several_calculations():
    text = expand("~~~~  calc \nparams --model gpt2\n\n   params --model gpt2-xl\n~~~~~\n")
    assert text.startswith("~~~~  text \n$ mlsys-path calc params --model gpt2\nembedding")
    assert "\n$ mlsys-path calc params --model gpt2-xl\n" in text
    assert text.endswith("\n~~~~~\n")


def test_an_indented_block_stays_in_its_list():
    text = expand("- so:\n\n  ```calc\n  params --model gpt2\n  ```\n")
    assert all(line.startswith("  ") for line in text.splitlines()[2:])


@pytest.mark.parametrize(
    "page",
    [
        "",
        "no block\n",
        "`calc` and ```calc``` in a line\n",
        "```python\ncalc\n```\n",
        "```calculate\nmemory\n```\n",
        "````markdown\n```calc\nmemory\n```\n````\n",
        "~~~\n```calc\nnonsense\n```\n~~~\n",
        "    ```calc\n    indented code\n    ```\n",
        "```\nunclosed\n",
    ],
)
def test_everything_else_stays_as_it_is(page):
    assert expand(page) == page


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("memry --params 1B", "line 6: there is no calculator 'memry'"),
        ("memory --parms 1B", "line 6: `calc memory` has no option --parms"),
        ("memory --params 0", "line 6: --params is 0"),
    ],
)
def test_a_wrong_line_is_named(line, words):
    with pytest.raises(UserError) as error:
        expand(PAGE.replace("memory --params 7.5e9 --dp 64 --zero 3", line))
    assert words in str(error.value)


@settings(deadline=None)
@given(page=st.text(alphabet="`~calc \n\r-x#", max_size=80))
def test_any_page_is_expanded_or_refused(page):
    try:
        text = expand(page)
    except UserError as error:
        assert str(error).startswith("line ")
    else:
        assert "calc" in page or text == page
