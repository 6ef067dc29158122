"""Every text of the interface exists in Chinese, with the same placeholders, and the compiled catalogue is fresh."""

from __future__ import annotations

import string

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from mlsys_path import language, locations

KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
FOLDER = locations.package_dir() / "locale" / "zh" / "LC_MESSAGES"


def catalogue():
    with (FOLDER / "mlsys_path.po").open("rb") as file:
        return read_po(file, locale="zh")


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def texts(messages):
    """Each text, all forms of it in one string, and its translation."""
    return {"\0".join([m.id] if isinstance(m.id, str) else m.id): list(m.string) for m in messages if m.id}


def test_every_message_is_translated():
    known = catalogue()
    wanted = {m for _, _, m, _, _ in extract_from_dir(locations.package_dir(), keywords=KEYWORDS)}
    lacking = [m for m in wanted if m not in known or not known[m].string or known[m].fuzzy]
    assert not lacking, "run `make messages` and translate these"


def test_nothing_is_left_of_messages_that_are_gone():
    wanted = {
        m[0] if isinstance(m, tuple) else m
        for _, _, m, _, _ in extract_from_dir(locations.package_dir(), keywords=KEYWORDS)
    }
    assert {m.id[0] if isinstance(m.id, tuple) else m.id for m in catalogue() if m.id} == wanted


def test_placeholders_agree():
    for message in catalogue():
        if message.id:
            plural = isinstance(message.id, tuple)
            english = message.id[1] if plural else message.id
            chinese = message.string[0] if plural else message.string
            assert fields(chinese) == fields(english), english


def test_the_compiled_catalogue_is_fresh():
    # not byte for byte: the header names the version of Babel that wrote it
    with (FOLDER / "mlsys_path.mo").open("rb") as file:
        compiled = texts(read_mo(file))
    assert compiled == texts(catalogue()), "run `make messages`"


def test_the_language_switches_live():
    language.use("zh")
    assert (language._("passed"), language.ngettext("{n} attempt", "{n} attempts", 2)) == (
        "通过",
        "{n} 次尝试",
    )
    language.use("en")
    assert (language._("passed"), language.ngettext("{n} attempt", "{n} attempts", 2)) == (
        "passed",
        "{n} attempts",
    )
