"""`pixel-env play`: a person plays instead of the model, in a terminal; images are written to a folder.

Translates what a person types into the text that a model would write. Depends on `PixelEnv`, which executes it, and on
operations; independent of engines.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from PIL import Image

from pixel_env.actions import sizes_for, write
from pixel_env.command_line.parser import CommandParser, value
from pixel_env.command_line.values import AtLeastOne, AtLeastZero, NameOf
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.episode import Action, Answer, Limits, with_images_named
from pixel_env.errors import ConfigError
from pixel_env.failures import Failure
from pixel_env.operations.arguments import Argument
from pixel_env.operations.calls import read_call
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.keys import Keys
from pixel_env.operations.operation import Operation
from pixel_env.operations.registry import OPERATIONS, operation_named
from pixel_env.tasks import load_tasks

USAGE = """\
{operations}
  answer TEXT              give the final answer; ends the episode
  say TEXT                 send TEXT verbatim; a call or an answer as a model writes it needs no `say`
  help                     show this
  quit                     stop playing (so does the end of the input)"""


class _Quit(Exception):
    """The person wants to stop."""


def main(argv: list[str]) -> int:
    """Plays with the given arguments; returns the exit code. The end of the input ends the program without an error."""
    options = _parser().parse_args(argv)
    tasks = load_tasks(
        options.tasks, split=options.split, follow_links=options.follow_links, media_root=options.media_root
    )
    env = PixelEnv(
        tasks,
        dialect="+".join([options.dialect, *options.operations]),
        limits=Limits(max_turns=options.max_turns, max_images=4 * options.max_turns + 64),
        render_mode="rgb_array",
    )
    try:
        for episode in range(options.episodes):
            seed = options.seed if episode == 0 else None
            _play_episode(env, seed, options.task_id, _free_folder(options.output_dir))
    except (EOFError, _Quit):
        print("\nGood-bye.")
    finally:
        env.close()
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "play", usage="[--NAME VALUE ...]", description="Play an environment yourself, in place of the model."
    )

    def add(name: str, kind: Any, metavar: str, default: Any, text: str) -> None:
        shown = "" if default is None else " (default: %(default)s)"
        parser.add_argument(f"--{name}", type=value(kind), metavar=metavar, default=default, help=f"{text}{shown}")

    add("tasks", str, "TEXT", "sample:vstar", "task set: a sample set, a path or a hub id (docs/tasks.md)")
    dialect = Annotated[str, NameOf(dialect_named)]
    add("dialect", dialect, "TEXT", "default", "format of calls and answers: the name of a dialect, or a YAML file")
    parser.add_argument(
        "--operations",
        type=value(Annotated[str, NameOf(operation_named)]),
        nargs="*",
        metavar="TEXT",
        default=[],
        help=f"operations to add to those of the dialect: {', '.join(OPERATIONS)}, or your own as 'module:Class'",
    )
    add("split", Literal["train", "test"], "train|test", "test", "split of a sample set")
    parser.add_argument("--follow_links", action="store_true", help="links in the set's folder may lead out of it")
    add("media_root", Path, "FOLDER", None, "folder in which rows name images, besides the set's own")
    add("task_id", str, "TEXT", None, "play this task (default: drawn with the seed)")
    add("seed", AtLeastZero, "N", None, "seed of the drawn tasks (default: others in every run)")
    add("episodes", AtLeastOne, "N", 1, "number of episodes to play")
    add("max_turns", AtLeastOne, "N", 50, "turns of an episode, including the one that answers")
    add("output_dir", Path, "FOLDER", Path("play"), "output folder for the images")
    return parser


def _free_folder(out: Path) -> Path:
    number = 1
    while (out / f"episode-{number:03}").exists():
        number += 1
    return out / f"episode-{number:03}"


def _play_episode(env: PixelEnv, seed: int | None, task_id: str | None, folder: Path) -> None:
    observation, info = env.reset(seed=seed, options={"task_id": task_id} if task_id else None)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}. Give another --output_dir.") from error
    if info["notice"]:
        print(f"[{info['notice']}]")
    print(f"{with_images_named(observation['text'])}\n")
    _save(observation["images"], env, folder)
    print(_usage(env))
    while env.trajectory.stop is None:
        observation, *_ = env.step(_next_text(env))
        if observation["text"]:
            print(with_images_named(observation["text"]))
        _save(observation["images"], env, folder)
    print(f"\nEnded: {env.trajectory.stop}. Reward {env.trajectory.reward:g}.", end=" ")
    print(f"The answer was {' or '.join(env.trajectory.task.answers)}.")


def _save(images: Sequence[np.ndarray], env: PixelEnv, folder: Path) -> None:
    first = len(env.trajectory.views) - len(images) + env.dialect.first_index
    for number, image in enumerate(images, start=first):
        path = folder / f"image-{number}.png"
        Image.fromarray(image).save(path, compress_level=1)
        print(f"image {number}: {path} ({image.shape[1]}x{image.shape[0]})")
    rendered = env.render()
    if isinstance(rendered, np.ndarray):
        Image.fromarray(rendered).save(folder / "overview.png", compress_level=1)  # speed matters more than size


def _next_text(env: PixelEnv) -> str:
    """Prompts until a command can be read: an unreadable one costs no turn."""
    while True:
        line = input("> ").strip()
        try:
            action = _read_command(line, env)
            if isinstance(action, str):
                return action
            return write(action, env.dialect, *sizes_for(env.dialect, env.trajectory.views, env.budgets))
        except (ValueError, IndexError) as error:
            print(f"{error}\n{_usage(env)}")


def _read_command(line: str, env: PixelEnv) -> Action | str:
    """The action of a typed command, or a text to send; raises ValueError, with the text to print, if unreadable."""
    if _is_a_turn(line, env.dialect):
        return line
    command, _, rest = line.partition(" ")
    for operation in env.dialect.offered:
        if command.lower() in (_command(operation), operation.name, env.dialect.name_of(operation)):
            return _typed(operation, rest.replace(",", " ").split(), env)
    match command.lower():
        case "answer" if rest.strip():
            return Answer(rest.strip())
        case "say" if rest.strip():
            return rest
        case "quit" | "exit":
            raise _Quit
        case "help" | "":
            raise ValueError("Commands:")
        case _:
            raise ValueError(f"unknown command {line!r}. Commands:")


def _is_a_turn(line: str, dialect: Dialect) -> bool:
    """Whether the line is a call or an answer as a model would write it: it is sent as it is."""
    answer = "\\boxed{" if dialect.answer_rule == "boxed" else dialect.answer_marker
    return dialect.calls.opening in line or answer in line or "\\boxed{" in line


_SHORT = {"crop_image": "crop", "select_frames": "frames"}
_EXAMPLES = {"crop_image": " Example: crop {first} 0.5 0 1 0.5"}


def _command(operation: type[Operation]) -> str:
    """The command for the operation."""
    return _SHORT.get(operation.name, operation.name)


def _usage(env: PixelEnv) -> str:
    lines = []
    for operation in env.dialect.offered:
        example = _EXAMPLES.get(operation.name, "").format(first=env.dialect.first_index)
        lines.append(f"  {_form(operation):<24} {operation.description}{example}")
    return USAGE.format(operations="\n".join(lines))


def _form(operation: type[Operation]) -> str:
    """The command with its arguments; those in brackets are optional."""
    optional = operation.optional()
    words = [
        f"[{kind.typed_as or name.upper()}]" if name in optional else kind.typed_as or name.upper()
        for name, kind in _typed_arguments(operation).items()
    ]
    return " ".join([_command(operation), *words])


def _typed_arguments(operation: type[Operation]) -> dict[str, Argument]:
    """The arguments in the order in which a person types them: the image first."""
    kinds = operation.arguments()
    return dict(sorted(kinds.items(), key=lambda item: item[0] != operation.image_field()))


def _typed(operation: type[Operation], words: list[str], env: PixelEnv) -> Operation:
    """The operation with these typed arguments, coordinates in fractions. Raises ValueError, with the text to print."""
    convention = replace(env.dialect.convention(), coordinates=Coordinates("fraction"), image_names=None)
    given: dict[str, Any] = {}
    left = words
    for name, kind in _typed_arguments(operation).items():
        taken, left = (left, []) if kind.words is None else (left[: kind.words], left[kind.words :])
        if len(taken) == kind.words or kind.words is None:
            given[Keys().of(operation, name)] = kind.typed(taken, convention.first_index)
        elif taken or name not in operation.optional():
            raise ValueError(f"got {len(words)} arguments; wanted: {_form(operation)}")
    if left:
        raise ValueError(f"got {len(words)} arguments; wanted: {_form(operation)}")
    read = read_call(operation, given, convention, Keys(), _command(operation))
    if isinstance(read, Failure):
        raise ValueError(read.message)
    count, first = len(env.trajectory.views), convention.first_index
    if read.image_number is not None and not 0 <= read.image_number < count:
        raise ValueError(
            f"there is no image {read.image_number + first}; give a number from {first} to {first + count - 1}"
        )
    return read
