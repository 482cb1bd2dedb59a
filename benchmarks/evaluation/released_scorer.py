r"""The released code's judge of correctness, for scores that are comparable with the paper's.

Reimplemented from `curiosity_driven_rl/openrlhf/trainer/ppo_utils/experience_maker.py` of TIGER-AI-Lab/Pixel-Reasoner:
`rule_reward`, `handle_boxed` and `do_verify`, with the rule that an answer must be boxed off, as a mistake in their
call leaves it. It judges with math-verify, which reads words as products of symbols, and it judges the text of *all*
turns, observations included. So an observation or an anagram can be right and "A. lion" is wrong for "A": use it to
compare, never to train. Their rules that cannot fire are left out: all text is lower-case by then.

math-verify is an optional package and comes in as an argument; without it this module can be imported all the same.
"""

import importlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.episode import Trajectory, Unfinished, message_parts, observed
from pixel_env.errors import MissingExtraError, PixelEnvError
from pixel_env.grading.choices import option_meant
from pixel_env.task import Task

RIGHT, WRONG, UNREADABLE = 1.0, 0.0, -1.0
"""The judge's verdicts. UNREADABLE counts as wrong in a score; the released trainer uses it as the reward."""

_BOX = "\\boxed{"
_TURN_END = "<|im_end|>"
_IMAGE = "<|vision_start|><|vision_end|>"  # the released code removes the placeholders of pixels from the text


@dataclass(frozen=True, slots=True)
class MathVerify:
    """The two functions of math-verify: `parse(text)` lists expressions, `verify(first, second)` compares two lists."""

    parse: Callable[[str], list[Any]]
    verify: Callable[[list[Any], list[Any]], bool]


def load_math_verify() -> MathVerify:
    """The installed math-verify. Raises MissingExtraError without it.

    What it returns works in the main thread only and raises PixelEnvError elsewhere: math-verify's time limit is a
    signal, and the judge would take its refusal for an unreadable answer.
    """
    try:
        module = importlib.import_module("math_verify")
    except ImportError as error:
        raise MissingExtraError.needs("--scorer released", "released") from error

    def parse(text: str) -> list[Any]:
        if threading.current_thread() is not threading.main_thread():
            raise PixelEnvError("math-verify was called in a thread, but works only in the main thread. Score there.")
        return module.parse(text)

    return MathVerify(parse, module.verify)


def released_score(trajectory: Trajectory, math_verify: MathVerify) -> float:
    """1 if the released judge accepts the trajectory as right, else 0."""
    solution = judged_text(trajectory)
    return float(verdict(solution, released_references(trajectory.task), math_verify) > 0.0)


def judged_text(trajectory: Trajectory) -> str:
    """All that follows the first header of an assistant in Qwen's chat format: every turn and every observation."""
    text = ""
    for number, steps in enumerate(trajectory.messages, start=1):
        said, (observation, views) = steps[0].text, observed(steps)
        text += said
        continues = isinstance(said, Unfinished) and not observation
        if number < len(trajectory.messages) and not continues:
            shown = "".join(_IMAGE if part is None else part for part in message_parts(observation, len(views)))
            text += f"{_TURN_END}\n<|im_start|>user\n{shown}{_TURN_END}\n"
        elif not isinstance(said, Unfinished):
            text += _TURN_END
    return text


def released_references(task: Task) -> list[str]:
    """The task's references as the released files hold them: boxed, and for a choice the letter that was shown."""
    answers = list(task.answers)
    if task.grader == "choice":
        indices = {index for answer in answers for index in option_meant(answer, task.options)}
        answers = [chr(ord("A") + index) for index in sorted(indices)]
    return [answer if answer.startswith(_BOX) else f"{_BOX}{answer}}}" for answer in answers]


def verdict(solution: str, references: Sequence[str], math_verify: MathVerify) -> float:
    """RIGHT, WRONG or UNREADABLE: the verdict of `rule_reward` on the last reference that it checks."""
    solution = solution.lower()
    result = WRONG
    for reference in _with_bare_percent([reference.lower() for reference in references]):
        result = _judged_by_parsing(solution, reference, math_verify)
        if result == RIGHT:
            break
        if "," in reference and _holds_every_part(solution, reference):
            return RIGHT
    return result


def _with_bare_percent(references: list[str]) -> list[str]:
    bare = next((text.replace("%", "") for text in references if "%" in text), None)
    return references if bare is None or bare in references else [bare, *references]


def _holds_every_part(solution: str, reference: str) -> bool:
    """Whether each piece of a list occurs after the last "boxed": 1,000 is in "boxed{2000, 1}"."""
    _, boxed, after = solution.rpartition("boxed")
    parts = [part.strip() for part in reference[len(_BOX) : -1].split(",")]
    return bool(boxed) and all(part in f"\\boxed{after}" for part in parts)


def _judged_by_parsing(solution: str, reference: str, math_verify: MathVerify) -> float:
    reference = _normalized(reference)
    wanted = _guarded(lambda: math_verify.parse(reference if "\\boxed" in reference else f"{_BOX}{reference}}}"))
    if not wanted:
        return UNREADABLE
    for candidate in (*_candidates(solution), solution):
        result = _compared(_normalized(candidate), wanted, math_verify)
        if result == RIGHT:
            break
    return result


def _candidates(solution: str) -> list[str]:
    """Parts of the text that are tried before all of it: from the last box on, and the first answer tags."""
    candidates = []
    if "\\boxed" in solution:
        candidates.append(solution[solution.rindex("\\boxed") :].strip())
    tagged = re.search("<answer>(.*?)</answer>", solution)
    if tagged:
        candidates.append(f"{_BOX}{tagged[1]}}}")
    return candidates


def _compared(candidate: str, wanted: list[Any], math_verify: MathVerify) -> float:
    def compare() -> float:
        given = math_verify.parse(candidate)
        return float(math_verify.verify(given, wanted)) if given else UNREADABLE

    result = _guarded(compare)
    return UNREADABLE if result is None else result


def _guarded(call: Callable[[], Any]) -> Any:
    """What `call` returns, or None if it fails: the released code takes every failure for an unreadable text."""
    try:
        return call()
    except PixelEnvError:
        raise
    except Exception:
        return None


def _normalized(text: str) -> str:
    text = text.replace("dfrac", "frac").replace("\\text", "").replace("\\varnothing", "\\emptyset")
    return text.replace("minutes", "").replace("cm", "")
