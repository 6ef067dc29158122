"""What a person is called in files for others: said once, and remembered."""

from __future__ import annotations

from mlsys_path.cli.remembering import remember_setting
from mlsys_path.errors import UserError
from mlsys_path.language import _
from mlsys_path.mentoring.texts import name_flaw
from mlsys_path.progress import queries

NAME_SETTING = "name"


def own_name(said: str | None, other: str = "") -> str:
    """The name that was said, else the one remembered, else `other`, else that of the account. Raises UserError."""
    if said is not None:
        if flaw := name_flaw(said):
            raise UserError(_("{name!r} is no name: {flaw}").format(name=said[:80], flaw=flaw))
        remember_setting(NAME_SETTING, said)
        return said
    name = queries.setting(NAME_SETTING) or other or _of_account()
    if name_flaw(name):
        raise UserError(_("say what you are called, with --as NAME"))
    return name


def _of_account() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
