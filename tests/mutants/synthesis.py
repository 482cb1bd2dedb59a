"""Mutants of trace synthesis: plans, verification, seed data and the journal."""

from tests.mutants.mutant import Mutant

VERIFY = ("tests/synth/verification/test_verify.py",)
PLANNING = ("tests/synth/plans/test_planning.py",)
SYNTH_AGAIN = ("tests/synth/generation/test_generate.py::test_the_same_command_on_a_finished_folder_changes_nothing",)

MUTANTS = (
    Mutant(
        "a synthetic crop needs to show no evidence",
        "verify._shows",
        "and evidence.box.covered_by(view.box) >= ENOUGH",
        "and evidence.box.covered_by(view.box) >= 0.0",
        VERIFY,
    ),
    Mutant(
        "an over-large region of a synthetic trace may be of any size",
        "_not_its_mistake",
        "if not low - _ROUNDING <= area <= high + _ROUNDING:",
        "if area < 0.0:",
        VERIFY,
    ),
    Mutant(
        "a synthetic trace is replayed once",
        "verify.verify",
        "if fault is None and replay_trace(trace, settings) != replayed:",
        "if fault is None and replayed != replayed:",
        VERIFY,
    ),
    Mutant(
        "the turn of the first synthetic crop may say the detail",
        "_leak",
        "enumerate(trace.turns[: right[-1] + 1])",
        "enumerate(trace.turns[: right[-1]])",
        VERIFY,
    ),
    Mutant(
        "a synthetic trace may be of another kind than its operations",
        "verify._fault_of",
        "        or _fault_of_kind(trace, trajectory)\n",
        "",
        VERIFY,
    ),
    Mutant(
        "a synthetic trace may end in another answer than it announces",
        "verify._fault_of",
        "        or _contradiction(trace, dialect)\n",
        "",
        VERIFY,
    ),
    Mutant(
        "an unrelated region of a synthetic trace may touch the evidence",
        "mistakes._misses",
        "return all(region.padded(CLEARANCE).iou(box) == 0.0 for box in evidence)",
        "return True",
        PLANNING,
    ),
    Mutant(
        "wrong frames of a synthetic trace may hold the evidence",
        "wrong_frames",
        "range(max(evidence) + 1, frame_count)",
        "range(max(evidence), frame_count)",
        PLANNING,
    ),
    Mutant(
        "what is left after rounding a synthetic mix is not dealt out",
        "cell_counts",
        "by_remainder[: count - sum(counts.values())]",
        "by_remainder[:0]",
        ("tests/synth/plans/test_mix.py",),
    ),
    Mutant(
        "a synthetic mistake is trained",
        "traced",
        "trains_mistakes or planned.mistake is None, planned.mistake",
        "True, planned.mistake",
        ("tests/synth/plans/test_plan.py",),
    ),
    Mutant(
        "nearly the same synthetic words are no repetition",
        "Repeats.holds",
        "_shared(runs, other) >= NEARLY",
        "_shared(runs, other) > 1.0",
        ("tests/synth/verification/test_repeats.py",),
    ),
    Mutant(
        "a crop that the next one corrects is recognised only where a synthetic remark complains",
        "_corrected",
        "return None if tone is Tone.IS_CONTENT else Mistake.UNRELATED_REGION",
        "return Mistake.UNRELATED_REGION if tone is Tone.COMPLAINS else None",
        ("tests/synth/conversion/test_detected_mistakes.py",),
    ),
    Mutant(
        "the journal of a synthetic data set is kept in memory alone",
        "generation.outcomes.Journal.add",
        "            self._store.append(_row(outcome))",
        "            pass",
        SYNTH_AGAIN,
    ),
    Mutant(
        "a failure of the endpoint drops a synthetic trace for good",
        "generation.outcomes.Journal.add",
        "        if outcome.is_final:",
        "        if outcome.index >= 0:",
        ("tests/synth/generation/test_generate.py::test_what_a_failure_dropped_is_tried_again_by_the_next_command",),
    ),
    Mutant(
        "what the student of a synthesis answered without a crop is forgotten",
        "KeptAnswers.__call__",
        '"mark": fingerprint, "is_answered": is_answered}',
        '"mark": "", "is_answered": is_answered}',
        ("tests/synth/seed_data/test_filters.py::test_what_was_answered_is_requested_once_even_by_another_process",),
    ),
    Mutant(
        "the student of a synthesis may crop in the test without crops",
        "without_looking",
        "banned_ids=sampling.banned_ids | chat.call_opening_ids()",
        "banned_ids=sampling.banned_ids",
        (
            "tests/synth/seed_data/test_filters.py::test_what_a_model_answers_without_looking_is_dropped_and_it_may_not_call",
        ),
    ),
    Mutant(
        "a wrong sample becomes a synthetic trace",
        "rejection_of",
        "Rejected.WRONG: trajectory.reward < 1.0,",
        "Rejected.WRONG: trajectory.reward < 0.0,",
        ("tests/synth/generation/test_rejection_sampling.py",),
    ),
)
