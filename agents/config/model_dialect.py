"""The dialect that a command plays in: named by `--dialect`, else that of the traces or of the model.

Depends on what engines declare and on what is recorded with models (`agents/checkpoints/conventions.py`); independent
of the commands. A dialect is never assumed: one line on stderr says which was taken and why, and a model of which
nothing is known needs `--dialect`.
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agents.checkpoints.checked import checked_model_folder
from agents.checkpoints.conventions import (
    DIALECT_OF_MODEL_TYPE,
    Convention,
    convention_in,
    convention_of,
    dialect_of_model_type,
    model_type_of,
)
from agents.checkpoints.names import CHECKPOINTS
from agents.engines.registry import EngineSpec
from agents.run_folder.folder import rank_of_process
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt_files import with_prompt
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError

ADDED = "+"
"""A value of `--dialect` that begins with this adds operations to the dialect that is taken: "+rotate"."""
_WAY_OUT = f"Give --dialect: {', '.join(DIALECTS)}, or your own as 'module:NAME' or a file.yaml."


@dataclass(frozen=True, slots=True)
class ModelDialect:
    """The dialect of a command, and what else is recorded with its model.

    Args:
        dialect: The dialect, with the recorded pixel budgets, in the words of the recorded prompt.
        name: By which a run records it.
        recorded: What the model's folder says, where it is of this dialect; its limits are defaults.
        plain: The dialect in its own words, for a prompt file that replaces the recorded prompt.
    """

    dialect: Dialect
    name: str
    plain: Dialect
    recorded: Convention | None = None

    @property
    def prompt(self) -> str | None:
        """The recorded text of a prompt file."""
        return None if self.recorded is None else self.recorded.prompt

    def limits(self, *, max_turns: int | None, max_images: int | None, max_tokens: int | None) -> Limits:
        """The given limits; those that are None as recorded with the model (one line says so), else the defaults."""
        given = {"max_turns": max_turns, "max_images": max_images, "max_tokens": max_tokens}
        chosen = {name: limit for name, limit in given.items() if limit is not None}
        if self.recorded is None or self.recorded.limits is None:
            return Limits(**chosen)
        taken = {name: limit for name, limit in asdict(self.recorded.limits).items() if name not in chosen}
        changed = {name: limit for name, limit in taken.items() if limit != getattr(Limits(), name)}
        if changed:
            listed = ", ".join(f"{name} {limit}" for name, limit in changed.items())
            _print(f"Limits as in training: {listed} ({self.recorded.file}). Change them with --{next(iter(changed))}.")
        return Limits(**taken, **chosen)


def dialect_of_engine(named: str | None, model: str, spec: EngineSpec) -> ModelDialect:
    """The dialect for `model` behind an engine; `named`: the value of `--dialect`, if any.

    Raises ConfigError for an engine that loads no checkpoint, whose dialect must be named, and as `dialect_of_model`.
    """
    if spec.loads_checkpoint:
        return dialect_of_model(named, model)
    if not is_named(named):
        if spec.has_model:
            raise ConfigError(
                f"The engine {spec.name!r} knows {model!r} by name only, so the dialect that it was taught must be "
                f"named. {_WAY_OUT}"
            )
        _say("default", f"the player {model!r} can use any, and none was named")
        named = "default" + (named or "")
    assert named is not None, "it is named, or the player's"
    return _own(named)


def dialect_of_model(named: str | None, model: str, *, traces: Path | None = None) -> ModelDialect:
    """The dialect for a checkpoint, of which it takes pixel budgets, limits and prompt, too, where they are recorded.

    `named`: the value of `--dialect`, if any. `traces`: a folder of traces; where it records a dialect, that one goes
    before the model's. A dialect other than the model's is warned of. Raises ConfigError if none is known, and
    UnknownNameError for an unknown name.
    """
    convention = convention_of(model)
    of_traces = None if traces is None else convention_in(traces)
    if is_named(named):
        assert named is not None
        taught = "" if convention is None else convention.dialect
        return _checked_against(named, convention, model, "--dialect is", f"Leave --dialect out to use {taught!r}.")
    added = named or ""
    if of_traces is not None:
        name = of_traces.value().name + added
        _say(name, f"it is that of the traces in {traces}")
        what = f"the dialect of the traces in {traces} is"
        return _checked_against(name, convention, model, what, "It is taught that of the traces from now on.")
    if convention is not None:
        # The budgets and the prompt are the model's with further operations, too.
        name = convention.value().name + added
        what = "dialect and pixel budgets" if convention.budgets is not None else "dialect"
        _say(name, f"{model} was taught in it" if model in CHECKPOINTS else f"{what} of {model}, by {convention.file}")
        return _with(name, convention)
    return _own(_by_model_type(model) + added)


def dialect_of_object(named: str | None, model: object) -> ModelDialect:
    """The dialect for a loaded model or the name of one: as `dialect_of_model`; of an object, by its `model_type`."""
    if isinstance(model, str):
        return dialect_of_model(named, model)
    if is_named(named):
        assert named is not None
        return _own(named)
    config = getattr(model, "config", None)
    model_type = str(getattr(config, "model_type", ""))
    return _own(_of_type(model_type, f"the model, a {type(model).__name__},") + (named or ""))


def is_named(named: str | None) -> bool:
    """Whether a value of `--dialect` names a dialect, and not only operations to add to one."""
    return named is not None and not named.startswith(ADDED)


def _own(name: str) -> ModelDialect:
    dialect = dialect_named(name)
    return ModelDialect(dialect, name, dialect)


def _with(name: str, convention: Convention) -> ModelDialect:
    own = dialect_named(name)
    plain = own if convention.budgets is None else replace(own, budgets=convention.budgets)
    dialect = plain if convention.prompt is None else with_prompt(plain, convention.prompt)
    return ModelDialect(dialect, name, plain, convention)


def _checked_against(name: str, convention: Convention | None, model: str, what: str, consequence: str) -> ModelDialect:
    """The dialect `name`; warns if the model was taught another one, else takes what is recorded with it."""
    if convention is None:
        return _own(name)
    if convention.dialect == name:
        return _with(name, convention)
    _print(
        f"{what} {name!r}, but {model} was taught {convention.dialect!r} ({convention.file}): its calls and boxes may "
        f"be read otherwise than it means them. {consequence}"
    )
    return _own(name)


def _by_model_type(model: str) -> str:
    checked_model_folder(model)
    model_type = model_type_of(model)
    if model_type is None:
        raise ConfigError(
            f"The dialect of {model!r} is not known: nothing is recorded with it, and the model_type in its "
            f"config.json cannot be read. Check the model's name, or name the dialect. {_WAY_OUT}"
        )
    return _of_type(model_type, repr(model))


def _of_type(model_type: str, model: str) -> str:
    name = dialect_of_model_type(model_type)
    if name is None:
        known = ", ".join(DIALECT_OF_MODEL_TYPE)
        raise ConfigError(
            f"The dialect of {model} is not known: nothing is recorded with it, and its model_type is "
            f"{model_type!r} (known: {known}). {_WAY_OUT}"
        )
    _say(name, f"nothing is recorded with {model}, and its model_type is {model_type!r}")
    return name


def _say(name: str, reason: str) -> None:
    _print(f"Dialect {name}: {reason}. Choose another with --dialect.")


def _print(line: str) -> None:
    if rank_of_process() == 0:
        print(line, file=sys.stderr, flush=True)
