"""What `agents/training_run/resumable.py` and its callbacks rely on in transformers' Trainer."""

import inspect

from transformers import Trainer, TrainerCallback
from transformers.trainer_callback import DefaultFlowCallback
from transformers.trainer_utils import rotate_checkpoints
from trl import GRPOTrainer, SFTTrainer


def names(function):
    return list(inspect.signature(function).parameters)


def test_the_overridden_methods_have_the_parameters_that_they_are_called_with():
    for trainer in (Trainer, GRPOTrainer, SFTTrainer):
        assert names(trainer._save_checkpoint) == ["self", "model", "trial"]
        assert names(trainer.get_batch_samples) == ["self", "epoch_iterator", "num_batches", "device"]
    assert names(Trainer._get_output_dir) == ["self", "trial"]
    assert names(rotate_checkpoints)[:4] == ["output_dir", "save_total_limit", "best_model_checkpoint", "use_mtime"]


def test_old_checkpoints_are_removed_by_save_checkpoint_and_the_limit_is_read_from_the_arguments():
    source = inspect.getsource(Trainer._save_checkpoint)
    assert source.index("save_to_json") < source.index("rotate_checkpoints")
    assert "save_total_limit=self.args.save_total_limit" in source


def test_an_epoch_ends_where_a_step_without_batches_finds_that_the_training_should_stop():
    source = inspect.getsource(Trainer._run_epoch)
    batches, inner, after = (
        source.index(text)
        for text in ("self.get_batch_samples(", "for i, inputs in enumerate(batch_samples)", "# PyTorch/XLA relies")
    )
    assert batches < inner < source.rindex("if self.control.should_epoch_stop", 0, after) < after


def test_callbacks_that_are_added_are_called_after_the_default_flow_whose_decisions_they_change():
    assert all(hasattr(TrainerCallback, name) for name in ("on_step_end", "on_epoch_end", "on_save", "on_evaluate"))
    assert "should_save" in inspect.getsource(DefaultFlowCallback.on_epoch_end)
    source = inspect.getsource(Trainer._maybe_log_save_evaluate)
    assert source.index("should_evaluate") < source.index("should_save")
