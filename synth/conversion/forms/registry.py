"""The table of the forms of rows, and how a name or a row is resolved to one.

Depends on the forms; independent of files. A form of your own needs no row here: it is named 'module:NAME'.
"""

from collections.abc import Mapping
from typing import Any

from pixel_env.errors import ConfigError, TaskError, UnknownNameError
from pixel_env.import_callable import imported
from synth.conversion.forms.cof_sft import COF_SFT
from synth.conversion.forms.form import RowForm
from synth.conversion.forms.message_list import MESSAGE_LIST
from synth.conversion.forms.mini_o3 import MINI_O3
from synth.conversion.forms.sharegpt import SHAREGPT
from synth.conversion.forms.trl import TRL
from synth.conversion.forms.trl_prompt import TRL_PROMPT
from synth.conversion.forms.verl import VERL

FORMS: dict[str, RowForm] = {
    form.name: form for form in (MESSAGE_LIST, TRL_PROMPT, VERL, MINI_O3, COF_SFT, SHAREGPT, TRL)
}
"""By name; a row has the form of the first one that recognises it."""

WRITTEN = tuple(name for name, form in FORMS.items() if form.rows_of is not None)
READ = tuple(name for name, form in FORMS.items() if form.conversation_of is not None)


def form_named(name: str) -> RowForm:
    """The form of the table, or your own as 'module:NAME'. Raises UnknownNameError, ConfigError."""
    if name in FORMS:
        return FORMS[name]
    if ":" not in name:
        raise UnknownNameError.among("form of rows", name, FORMS, "Your own is given as 'module:NAME'.")
    own = imported(name, "form of rows")
    if not isinstance(own, RowForm):
        raise ConfigError(
            f"{name!r} is of the type {type(own).__name__}, not a form of rows. Wanted: a RowForm "
            "(synth.conversion.forms.form), see docs/extending.md."
        )
    return own


def form_of(values: Mapping[str, Any], file_name: str = "") -> RowForm:
    """The first form of the table that recognises the row. Raises TaskError if none does."""
    for form in FORMS.values():
        if form.recognises(values, file_name):
            return form
    raise TaskError(
        f"it has the columns {', '.join(map(str, values))}; wanted: one of message_list, messages, conversations, or "
        "prompt with completion"
    )
