"""The seams of TRL that the trainers build on. A TRL that moves one of them fails here, not in a wrong loss."""

import ast
import inspect
import textwrap

import pytest
from trl import GRPOTrainer, SFTTrainer
from trl.trainer.utils import add_fused_lm_head, shuffle_sequence_dict, split_tensor_dict

from agents.grpo.trainer import PixelGRPOTrainer
from agents.sft.trainer import PixelSFTTrainer


def parameters(function):
    return list(inspect.signature(inspect.unwrap(function)).parameters)


def tree(function):
    return ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))


def lengths_of_returned_tuples(function):
    returns = [node.value for node in ast.walk(tree(function)) if isinstance(node, ast.Return)]
    return {len(value.elts) for value in returns if isinstance(value, ast.Tuple)}


def keys_of(function, name):
    """The string keys of the dictionary that the method builds under `name`."""
    keys = set()
    for node in ast.walk(tree(function)):
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Dict(keys=literals)) if found == name:
                keys |= {key.value for key in literals}
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=found), slice=ast.Constant(value=key))]) if (
                found == name
            ):
                keys.add(key)
    return keys


SIGNATURES = {
    "_generate": ["self", "prompts"],
    "_calculate_rewards": ["self", "inputs", "prompts", "completions", "completion_ids_list"],
    "_generate_and_score_completions": ["self", "inputs"],
    "_compute_loss": ["self", "model", "inputs"],
    "_send_telemetry": ["self"],
    "_save_rng_state": ["self", "output_dir"],
    "_load_rng_state": ["self", "checkpoint"],
    "_load_best_model": ["self"],
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_an_overridden_method_has_the_signature_that_the_override_was_written_for(name):
    assert parameters(getattr(GRPOTrainer, name)) == SIGNATURES[name]
    assert parameters(getattr(PixelGRPOTrainer, name)) == SIGNATURES[name]


def test_the_scoring_method_takes_what_the_override_passes_on():
    wanted = ["self", "model", "input_ids", "attention_mask", "logits_to_keep", "batch_size", "compute_entropy"]
    found = parameters(GRPOTrainer._get_per_token_logps_and_entropies)
    assert found[: len(wanted)] == wanted
    assert {"pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids"} <= set(found)
    assert lengths_of_returned_tuples(GRPOTrainer._get_per_token_logps_and_entropies) == {3}


def test_generate_returns_eight_things_in_the_known_order():
    assert lengths_of_returned_tuples(GRPOTrainer._generate) == {8}
    [returned] = [node.value for node in ast.walk(tree(GRPOTrainer._generate)) if isinstance(node, ast.Return)]
    assert [element.id for element in returned.elts] == [
        "prompt_ids", "completion_ids", "tool_mask", "completions", "logprobs", "extra_fields", "images", "tool_images"
    ]  # fmt: skip


def test_a_column_of_the_table_of_completions_is_given_by_name_and_the_values_of_a_process():
    assert parameters(GRPOTrainer._log_completion_extra) == ["self", "column", "values"]


def test_a_scored_batch_has_the_keys_that_are_cut_to_the_informative_rows():
    keys = keys_of(GRPOTrainer._generate_and_score_completions, "output")
    assert {"prompt_ids", "completion_ids", "completion_mask", "advantages", "num_items_in_batch", "tool_mask"} <= keys
    assert "rollout_index" not in keys


def test_an_unknown_key_with_one_entry_per_row_survives_shuffling_and_splitting():
    import torch

    batch = {"advantages": torch.arange(6.0), "rollout_index": torch.arange(6), "num_items_in_batch": torch.tensor(9)}
    chunks = split_tensor_dict(shuffle_sequence_dict(batch), 3)
    assert len(chunks) == 3
    assert all(torch.equal(chunk["advantages"], chunk["rollout_index"].float()) for chunk in chunks)


def test_every_loss_type_is_one_whose_normaliser_is_known():
    known = {"grpo", "sapo", "bnpo", "dr_grpo", "cispo", "dapo", "vespo", "luspo"}
    compared = {
        constant.value
        for node in ast.walk(tree(GRPOTrainer._compute_loss))
        if isinstance(node, ast.Compare) and ast.unparse(node.left) == "self.loss_type"
        for constant in ast.walk(node.comparators[0])
        if isinstance(constant, ast.Constant)
    }
    assert compared == known


def test_the_fused_head_looks_the_output_embedding_up_on_every_call_and_adds_its_bias():
    source = inspect.getsource(add_fused_lm_head)
    assert "lm_head = self.get_output_embeddings()" in source
    assert "weight, bias = lm_head.weight, lm_head.bias" in source


def test_skipping_the_preparation_of_a_dataset_is_still_an_option_of_sft():
    assert 'dataset_kwargs.get("skip_prepare_dataset", False)' in inspect.getsource(SFTTrainer.__init__)
    assert parameters(PixelSFTTrainer._send_telemetry) == parameters(SFTTrainer._send_telemetry) == ["self"]


def test_the_sampler_of_the_training_rows_is_asked_for_as_the_override_expects():
    assert parameters(SFTTrainer._get_train_sampler) == parameters(PixelSFTTrainer._get_train_sampler)


def test_the_loss_is_divided_by_the_tokens_of_the_whole_step_where_the_model_is_said_to_take_their_number():
    assert "self.model_accepts_loss_kwargs" in inspect.getsource(SFTTrainer._get_num_items_in_batch)
    assert "num_items_in_batch" in parameters(SFTTrainer.compute_loss)
