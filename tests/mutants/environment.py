"""Mutants of boxes, operations, the environment, grading and sample sets."""

from tests.mutants.mutant import Mutant

BOXES = ("tests/pixel_env/test_boxes.py",)
CROPS = ("tests/pixel_env/operations/test_crop_image.py",)
EDGES = ("tests/pixel_env/test_edges.py",)
TURNS = ("tests/pixel_env/dialects/test_turns.py",)
CALLS = ("tests/pixel_env/test_several_calls.py",)
ENV = ("tests/pixel_env/test_env.py",)
SPLITS = ("tests/pixel_env/samples/test_samples.py::test_no_photograph_and_no_digit_is_in_both_splits",)

MUTANTS = (
    # -------------------------------------------------------------------------------------------- boxes and operations
    Mutant(
        "a blank shows the image",
        "_blanked",
        "source=BlankSource.instead_of(view.source), ",
        "",
        ("tests/pixel_env/test_interventions.py",),
    ),
    Mutant("an edge may overhang by a fifth", "OVERHANG", "OVERHANG = 0.02", "OVERHANG = 0.2", BOXES),
    Mutant(
        "a box is inverted only if both sides are",
        "boxes._checked",
        "if x0 > x1 or y0 > y1:",
        "if x0 > x1 and y0 > y1:",
        BOXES,
    ),
    Mutant(
        "a crop must be larger than the minimum side",
        "Edges.fault",
        "if min(width, height) < self.min_side and",
        "if min(width, height) <= self.min_side and",
        CROPS,
    ),
    Mutant(
        "a crop of a crop cuts the shown pixels",
        "crop_image.cut",
        "rule.edges, not rule.crops_source",
        "rule.edges, True",
        CROPS,
    ),
    Mutant(
        "a crop of a crop reads the whole image's box",
        "View.to_source",
        "return box.within(self.box)",
        "return box",
        CROPS,
    ),
    Mutant(
        "a box is mapped through the steps in the order in which they were taken",
        "View.to_source",
        "for step in reversed(self.steps):",
        "for step in self.steps:",
        ("tests/pixel_env/operations/test_chains.py",),
    ),
    Mutant(
        "small numbers are taken for fractions in every dialect",
        "Region.read",
        "fractions, edges = _as_fractions(value, convention, image), convention.edges",
        "fractions, edges = (_as_fractions(value, convention, image) if max(value, default=0) > 1 else value), "
        "convention.edges",
        ("tests/pixel_env/test_actions.py",),
    ),
    Mutant(
        "a large image is shown over its pixel budget",
        "fitted_size",
        "math.floor(width / scale / factor + _NOISE)",
        "math.ceil(width / scale / factor)",
        ("tests/pixel_env/media/test_images.py",),
    ),
    # -------------------------------------------------------------------------------------------- edges and calls
    Mutant("a small box is expanded from its corner", "edges._expanded", "(low + high - length) / 2", "low", EDGES),
    Mutant("padding is added twice", "Edges._edges", "if self.padding and not is_padded:", "if self.padding:", EDGES),
    Mutant(
        "a random position of a magnified crop is not cut",
        "interventions._moved",
        "_moved(cut, parent, budgets, rng).magnified(last.factor, last.max_pixels)",
        "replace(moved := _moved(cut, parent, budgets, rng), steps=(*moved.steps, last))",
        EDGES,
    ),
    Mutant(
        "the draft of a call in a thought is executed",
        "without_thought",
        "text.rpartition(dialect.thought_closing)[2]",
        "text",
        TURNS,
    ),
    Mutant(
        "an answer that the token limit cut is one",
        "parse_all",
        "None if is_unfinished else _answer_in(said, dialect)",
        "_answer_in(said, dialect)",
        TURNS,
    ),
    Mutant(
        "of the calls of a turn that exceeds a budget one is spent",
        "PixelEnv.step",
        '[Reply("", failure=reply.failure) for reply in replies], ()',
        '[Reply("", failure=replies[0].failure)], ()\n            actions = actions[:1]',
        CALLS,
    ),
    Mutant(
        "all calls of a turn have the number of the first image",
        "Replies.to",
        "len(self.trajectory.views) + sum(len(reply.images) for reply in replies)",
        "len(self.trajectory.views)",
        CALLS,
    ),
    # ----------------------------------------------------------------------------------------------------- environment
    Mutant(
        "an answer is read from all turns",
        "PixelEnv._read",
        "message = _unfinished_text(self.trajectory.turns) + text",
        'message = "".join(turn.text for turn in self.trajectory.turns) + text',
        ENV,
    ),
    Mutant(
        "the tokens of an observation are not counted before it is added",
        "PixelEnv.step",
        "self._tokens_of(action, ()) + self._tokens_of(text_of(replies), images)",
        "self._tokens_of(action, ())",
        ENV,
    ),
    Mutant(
        "the image budget is checked after the image was added",
        "PixelEnv.step",
        "stop = self._exceeded(len(images))",
        "stop = self._exceeded(0)",
        ENV,
    ),
    Mutant(
        "an answer with several numbers is graded by the first",
        "_the_one",
        "return named.pop() if len(named) == 1 and all(map(math.isfinite, named)) else None",
        "return named.pop() if named and all(map(math.isfinite, named)) else None",
        ("tests/pixel_env/grading/test_grading.py",),
    ),
    Mutant(
        "test digits are among the training digits",
        "tiles_of",
        'if split == "train" else shuffled[TRAIN_DIGITS:]',
        'if split == "train" else shuffled[TRAIN_DIGITS - 1 :]',
        SPLITS,
    ),
    Mutant(
        "a photograph is in both splits",
        "PHOTOS",
        '"test": ("friends", "seeding"),',
        '"test": ("friends", "seeding", "wine"),',
        SPLITS,
    ),
    Mutant(
        "a truncated last line is kept",
        "TrajectoryStore.append",
        "            file.truncate(_end_of_lines(file))\n",
        "",
        ("tests/pixel_env/test_store.py",),
    ),
)
