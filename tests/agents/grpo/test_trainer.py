import copy
import json

import numpy as np
import pytest
import torch
from PIL import Image
from trl import GRPOTrainer

from agents.engines.protocol import Response
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.engines.transformers import TransformersEngine
from agents.grpo.token_ban import banned
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from agents.rollout import Sampling, rollout
from pixel_env.errors import ConfigError, TaskError
from pixel_env.task import TaskSet
from pixel_env.tasks import load_tasks
from rewards.shaping import RewardParts

ROWS = 8
GROUP = 4


def config(folder, **options):
    defaults = {
        "dialect": "tiny",
        "max_turns": 2,
        "max_turn_tokens": 8,
        "max_completion_length": 32,
        "num_generations": GROUP,
    }
    defaults |= {"per_device_train_batch_size": ROWS, "max_steps": 1, "logging_steps": 1, "learning_rate": 1e-3}
    defaults |= {"gradient_checkpointing": False, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True}
    return PixelGRPOConfig(output_dir=str(folder), **(defaults | options))


class ScriptedTrainer(PixelGRPOTrainer):
    """The trainer with a script in the place of the policy's sampling."""

    script = staticmethod(in_turn("<answer>7"))

    def _engine(self, policy):
        return ScriptedEngine(type(self).script, self.chat)


def playing(script):
    return type("Playing", (ScriptedTrainer,), {"script": staticmethod(script)})


def in_training(trainer):
    """The trainer as it is inside of `train()`."""
    trainer.model.train()
    return trainer


def by_place(*scripts):
    """The rollouts of a batch of ROWS play these scripts in turn."""
    return lambda conversation: scripts[conversation.request.request_id % ROWS % len(scripts)](conversation)


def logged(trainer):
    return [row for row in trainer.state.log_history if "reward" in row]


# --------------------------------------------------------------------------------------------------- exact tokens


@pytest.mark.parametrize("looks", [0, 1, 3])
def test_sampler_and_trainer_agree_on_every_token_they_share(tiny_checkpoint, tasks, tmp_path, looks):
    trainer = in_training(PixelGRPOTrainer(str(tiny_checkpoint), tasks, config(tmp_path, max_turns=4)))
    forced = {task.task_id: ["<crop> 0 0 4 4", "<crop> 4 4 9 9", "<crop> 1 2 3 9"][:looks] for task in tasks.tasks}
    rows = rollout(
        list(tasks.tasks[:4]) * 2,
        TransformersEngine(trainer.model, trainer.chat),
        trainer.chat,
        settings=trainer.args.settings(trainer.dialect, tasks),
        sampling=Sampling(max_turn_tokens=8),
        seed=3,
        forced=lambda task: (
            forced[task.task_id][: len(forced[task.task_id]) * (tasks.tasks.index(task) % 2)]
            if looks == 3
            else forced[task.task_id]
        ),
    )
    assert {len(row.views) for row in rows} == ({1, 4} if looks == 3 else {1 + looks})
    scores = score(trainer, rows)
    for row, logps in zip(rows, scores, strict=True):
        said = torch.tensor(row.sampled)
        assert said.any()
        difference = (torch.tensor(row.logprobs) - logps[: len(said)])[said].abs()
        assert float(difference.max()) < 1e-3


def score(trainer, rows):
    """Log-probabilities of the completions, as the loss computes them: (B, C)."""
    trainer._scored = rows
    pad = trainer.chat.pad_id
    prompt, completion = max(len(row.prompt_ids) for row in rows), max(len(row.completion_ids) for row in rows)
    ids = [
        [pad] * (prompt - len(row.prompt_ids))
        + [*row.prompt_ids, *row.completion_ids]
        + [pad] * (completion - len(row.completion_ids))
        for row in rows
    ]
    mask = [
        [0] * (prompt - len(row.prompt_ids))
        + [1] * (len(row.prompt_ids) + len(row.completion_ids))
        + [0] * (completion - len(row.completion_ids))
        for row in rows
    ]
    with torch.no_grad():
        logps, _, _ = trainer._get_per_token_logps_and_entropies(
            trainer.model, torch.tensor(ids), torch.tensor(mask), completion
        )
    return logps


def test_a_banned_token_has_no_probability_and_the_others_share_it(tiny_checkpoint, tasks, tmp_path):
    trainer = in_training(PixelGRPOTrainer(str(tiny_checkpoint), tasks, config(tmp_path)))
    model, ids = trainer.model, torch.tensor([[10, 11, 12, 13]])
    head = model.get_output_embeddings()
    with torch.no_grad():
        logits = model(input_ids=ids).logits[0, :-1]
        logits[:, [12, 40]] = -torch.inf
        with banned(model, frozenset({12, 40})):
            scores = model(input_ids=ids, labels=ids, fused_lm_head=True).log_probs[0]
    wanted = logits.log_softmax(-1)[torch.arange(3), ids[0, 1:]]
    assert scores[[0, 2]].tolist() == pytest.approx(wanted[[0, 2]].tolist(), abs=1e-5)
    assert scores[1] < -20000
    assert model.get_output_embeddings() is head


def test_length_batches_and_trimming_change_no_score(tiny_checkpoint, tasks, tmp_path):
    trainer = playing(
        by_place(in_turn("<crop> 0 0 4 4", "<answer>7"), in_turn("<answer>right"), in_turn("7 7 7", "7"))
    )(str(tiny_checkpoint), tasks, config(tmp_path))
    in_training(trainer)._generate(["0", "1", "2", "3", "4", "5", "6", "7"])
    rows = trainer._rollouts["train"]
    together = score(trainer, rows)
    for place, row in enumerate(rows):
        alone = score(trainer, [row])[0]
        assert torch.allclose(together[place, : len(alone)], alone, atol=1e-4)


def test_pictures_that_do_not_fit_their_tokens_are_refused_by_the_task(tiny_checkpoint, tasks, tmp_path):
    trainer = playing(in_turn("<crop> 0 0 4 4", "<answer>7"))(str(tiny_checkpoint), tasks, config(tmp_path))
    in_training(trainer)._generate(["0", "1"])
    rows = trainer._rollouts["train"]
    short = type(rows[1])(**{name: getattr(rows[1], name) for name in rows[1].__slots__} | {"views": rows[1].views[:1]})
    with pytest.raises(ConfigError, match=tasks.tasks[1].task_id):
        score(trainer, [rows[0], short])


# ------------------------------------------------------------------------------------------------------ the update


def mixed_outcomes(tasks):
    """Half of the first group is right, the second group wholly wrong; some rollouts look first."""
    right = tasks.tasks[0].answers[0]
    scripts = [
        in_turn("<crop> 0 0 4 4", f"<answer>{right}"),
        in_turn("<answer>no"),
        in_turn("<crop> 1 1 9 9", "<answer>no"),
    ]
    return by_place(scripts[0], scripts[1], scripts[2], scripts[0], scripts[1], scripts[1], scripts[1], scripts[1])


@pytest.mark.parametrize("loss_type", ["dr_grpo", "grpo", "bnpo", "dapo", "cispo"])
def test_leaving_out_rows_of_zero_advantage_changes_neither_loss_nor_gradients(
    tiny_checkpoint, tasks, tmp_path, loss_type
):
    two = TaskSet("two", tasks.tasks[:2], budgets=tasks.budgets)
    results = []
    for filters in (True, False):
        args = config(tmp_path, loss_type=loss_type, filter_zero_advantage=filters, group_reward="correctness")
        trainer = playing(mixed_outcomes(two))(str(tiny_checkpoint), two, args)
        batch = in_training(trainer)._generate_and_score_completions(
            [{"prompt": "0"}] * GROUP + [{"prompt": "1"}] * GROUP
        )
        trainer.current_gradient_accumulation_steps = 1
        scored_rows = []
        original = GRPOTrainer._get_per_token_logps_and_entropies

        def counted(self, model, ids, *arguments, scored_rows=scored_rows, original=original, **options):
            scored_rows.append(len(ids))
            return original(self, model, ids, *arguments, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(GRPOTrainer, "_get_per_token_logps_and_entropies", counted)
            loss = trainer._compute_loss(trainer.model, batch)
        loss.backward()
        gradients = {name: weight.grad for name, weight in trainer.model.named_parameters() if weight.grad is not None}
        results.append((loss.item(), gradients, sum(scored_rows)))
    (kept_loss, kept, kept_rows), (whole_loss, whole, whole_rows) = results
    assert (kept_rows, whole_rows) == (GROUP, ROWS)
    assert kept_loss == pytest.approx(whole_loss, abs=1e-7)
    assert kept.keys() == whole.keys()
    assert max(float(whole[name].abs().max()) for name in whole) > 1e-4
    assert all(torch.allclose(kept[name], whole[name], atol=1e-6) for name in whole)


def test_with_a_kl_term_every_row_stays_because_every_row_has_a_gradient(tiny_checkpoint, tasks, tmp_path):
    trainer = playing(mixed_outcomes(tasks))(str(tiny_checkpoint), tasks, config(tmp_path, beta=0.1))
    assert trainer._filters is False


def test_a_batch_without_one_operation_trains(tiny_checkpoint, tasks, tmp_path):
    one = TaskSet("one", tasks.tasks[:1], budgets=tasks.budgets)
    right, wrong = in_turn(f"<answer>{one.tasks[0].answers[0]}"), in_turn("<answer>wrong")
    args = config(tmp_path, max_steps=2, per_device_train_batch_size=GROUP)
    trainer = playing(by_place(right, wrong))(str(tiny_checkpoint), one, args)
    before = copy.deepcopy(trainer.model.state_dict())
    trainer.train()
    assert len(logged(trainer)) == 2 and all(row["calls"] == 0 and row["grad_norm"] > 0 for row in logged(trainer))
    after = trainer.model.state_dict()
    assert all(not torch.equal(before[name], after[name]) for name in before if name.endswith("q_proj.weight"))


def test_a_batch_in_which_nothing_is_learned_still_makes_its_step(tiny_checkpoint, tasks, tmp_path):
    trainer = playing(in_turn("<answer>wrong"))(str(tiny_checkpoint), tasks, config(tmp_path))
    trainer.train()
    assert logged(trainer)[0]["filtered"] == 1.0 and logged(trainer)[0]["grad_norm"] == 0.0


# ---------------------------------------------------------------------------------------------- rewards and the log


def test_with_the_default_configuration_the_penalty_shows_in_the_log(tiny_checkpoint, tasks, tmp_path):
    assert PixelGRPOConfig(output_dir=str(tmp_path), use_cpu=True).max_turns == 4
    spam = in_turn("<crop> 0 0 4 4", "<crop> 0 0 4 4", "<crop> 0 0 4 4", "<answer>wrong")
    trainer = playing(by_place(spam, in_turn("<answer>wrong")))(
        str(tiny_checkpoint), tasks, config(tmp_path, max_turns=4)
    )
    trainer.train()
    row = logged(trainer)[0]
    assert row["calls"] == 1.5 and row["rapr"] == 0.5
    assert row["rewards/penalty"] == pytest.approx(-0.05)  # half of the rollouts, two calls too many each
    assert row["reward"] == pytest.approx(-0.05) and row["filtered"] == 0.0
    assert row["stops/answered"] == 1.0 and row["turns"] == 2.5


def test_a_refused_call_is_logged_by_its_code_earns_nothing_and_is_not_counted_in_rapr(
    tiny_checkpoint, tasks, tmp_path
):
    refused, looked = in_turn("<crop> 4 4 0 0", "<answer>wrong"), in_turn("<crop> 0 0 4 4", "<answer>wrong")
    none = in_turn("<answer>wrong")
    trainer = playing(by_place(refused, none, none, none, looked, none, none, none))(
        str(tiny_checkpoint), tasks, config(tmp_path)
    )
    trainer.train()
    row = logged(trainer)[0]
    assert row["failures/box_inverted"] == pytest.approx(1 / ROWS) and row["calls"] == 2 / ROWS
    assert row["rapr"] == 1 / ROWS
    assert row["rewards/curiosity"] == pytest.approx(0.5 * (0.3 - 1 / GROUP) / ROWS)


def test_accuracy_rapr_and_call_advantage_are_logged_for_each_category(tiny_checkpoint, tasks, tmp_path):
    one = TaskSet("one", tasks.tasks[:1], budgets=tasks.budgets)
    right = one.tasks[0].answers[0]
    looked = in_turn("<crop> 0 0 4 4", f"<answer>{right}")
    trainer = playing(by_place(looked, in_turn("<answer>wrong")))(
        str(tiny_checkpoint), one, config(tmp_path, per_device_train_batch_size=GROUP)
    )
    trainer.train()
    row = logged(trainer)[0]
    category = one.tasks[0].category
    assert row[f"accuracy/{category}"] == 0.5 and row[f"rapr/{category}"] == 0.5
    assert row[f"call_advantage/{category}"] == 1.0


def test_an_episode_that_breaks_is_left_out_of_its_group(tiny_checkpoint, tasks, tmp_path):
    class Breaking(ScriptedEngine):
        def poll(self):
            return [
                Response(r.request_id, (), (), ended=True, error="lost") if r.request_id % ROWS == 0 else r
                for r in super().poll()
            ]

    right = tasks.tasks[0].answers[0]
    trainer = playing(in_turn("<answer>7"))(str(tiny_checkpoint), tasks, config(tmp_path, group_reward="correctness"))
    script = by_place(in_turn("<answer>no"), in_turn(f"<answer>{right}"), in_turn("<answer>no"), in_turn("<answer>no"))
    trainer._engine = lambda policy: Breaking(script, trainer.chat)
    batch = in_training(trainer)._generate_and_score_completions([{"prompt": "0"}] * ROWS)
    assert batch["advantages"][:GROUP].tolist() == pytest.approx([0.0, 2 / 3, -1 / 3, -1 / 3])
    assert batch["advantages"][GROUP:].tolist() == pytest.approx([-0.25, 0.75, -0.25, -0.25])


def test_a_step_in_which_every_episode_breaks_ends_the_training_and_says_why(tiny_checkpoint, tasks, tmp_path):
    trainer = playing(in_turn("<answer>7"))(str(tiny_checkpoint), tasks, config(tmp_path, max_tokens=5))
    with pytest.raises(TaskError, match=r"all \d+ episodes of this step failed; the first, of task .*max_tokens"):
        in_training(trainer)._generate_and_score_completions([{"prompt": "0"}] * ROWS)


# ------------------------------------------------------------------------------------------- what users bring along


def own_tasks(folder):
    rows = []
    for number, colour in enumerate(("red", "green", "blue")):
        Image.new("RGB", (256, 256), colour).save(folder / f"{colour}.png")
        rows.append({"id": f"own-{number}", "image": f"{colour}.png", "question": "Which colour?", "answer": colour})
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_three_rows_of_ones_own_and_an_own_reward_train(tiny_checkpoint, tmp_path, monkeypatch):
    seen = []

    def shortness(completions, trajectory, **_):
        seen.extend(trajectory)
        return [-len(messages[-1]["content"]) / 100 for messages in completions]

    (tmp_path / "looking_rewards.py").write_text(
        "import numpy as np\nfrom rewards.shaping import RewardParts\n\n"
        "def looks_pay(group):\n"
        "    looked = np.array([1.0 * (t.valid_operations > 0) for t in group])\n"
        "    return RewardParts(np.zeros(len(group)), looked, np.zeros(len(group)))\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    args = config(tmp_path, per_device_train_batch_size=12, max_steps=2, group_reward="looking_rewards:looks_pay")
    trainer = PixelGRPOTrainer(
        model=str(tiny_checkpoint), tasks=str(own_tasks(tmp_path)), args=args, reward_funcs=shortness
    )
    trainer.train()
    row = logged(trainer)[-1]
    assert row["rewards/shortness/mean"] < 0 and "rewards/group_reward/mean" in row
    assert {trajectory.task.task_id for trajectory in seen} == {"own-0", "own-1", "own-2"}


def test_a_group_reward_sees_all_rollouts_of_one_query_and_nothing_else(tiny_checkpoint, tasks, tmp_path):
    groups = []

    def watching(group):
        groups.append([trajectory.task.task_id for trajectory in group])
        return RewardParts(np.zeros(len(group)), np.zeros(len(group)), np.zeros(len(group)))

    playing(in_turn("<answer>7"))(str(tiny_checkpoint), tasks, config(tmp_path), group_reward=watching).train()
    made_up, *played = groups
    assert made_up == [tasks.tasks[0].task_id] * GROUP
    assert [len(group) for group in played] == [GROUP, GROUP]
    assert all(len(set(group)) == 1 for group in played) and played[0] != played[1]


def test_own_reward_functions_can_do_without_a_group_reward(tiny_checkpoint, tasks, tmp_path):
    def one(completions, **_):
        return [1.0] * len(completions)

    trainer = playing(in_turn("<answer>7"))(
        str(tiny_checkpoint), tasks, config(tmp_path, group_reward=None), reward_funcs=one
    )
    trainer.train()
    assert logged(trainer)[0]["reward"] == 1.0 and "rewards/group_reward/mean" not in logged(trainer)[0]


# ------------------------------------------------------------------------------------------------- seeds and resuming


def test_a_run_cut_in_half_and_resumed_logs_what_the_uncut_run_logs(tiny_checkpoint, tasks, tmp_path):
    def run(folder, steps, resume=False):
        # A constant rate, because the length of a schedule is part of the schedule.
        options = {"max_steps": steps, "save_strategy": "steps", "save_steps": 2, "lr_scheduler_type": "constant"}
        # Evaluated where it is saved: the resumed run does not evaluate there again.
        options |= {"eval_strategy": "steps", "eval_steps": 2, "per_device_eval_batch_size": GROUP}
        trainer = PixelGRPOTrainer(
            str(tiny_checkpoint), tasks, config(folder, **options), reward_funcs=letters, eval_tasks=held_out
        )
        trainer.train(resume_from_checkpoint=resume or None)
        return [{name: value for name, value in row.items() if "time" not in name} for row in logged(trainer)]

    def letters(completions, **_):
        return [sum(letter in "aeiou" for letter in messages[0]["content"]) / 10 for messages in completions]

    held_out = load_tasks("sample:vstar-tiny", split="test", count=1)
    uncut = run(tmp_path / "uncut", 4)
    run(tmp_path / "cut", 2)
    resumed = run(tmp_path / "cut", 4, resume=True)
    assert len(uncut) == 4 and uncut[0]["grad_norm"] > 0 and uncut[2] != uncut[3]
    assert resumed == uncut


def test_the_rollouts_of_a_step_differ_and_a_seed_gives_them_again(tiny_checkpoint, tasks, tmp_path):
    def said(seed, step):
        trainer = in_training(PixelGRPOTrainer(str(tiny_checkpoint), tasks, config(tmp_path, seed=seed)))
        trainer.state.global_step = step
        trainer._generate(["0"] * GROUP)
        return [row.completion_ids for row in trainer._rollouts["train"]]

    first = said(1, 0)
    assert len(set(first)) == GROUP
    assert said(1, 0) == first and said(2, 0) != first and said(1, 1) != first


def test_two_generations_within_one_step_are_different(tiny_checkpoint, tasks, tmp_path):
    trainer = in_training(PixelGRPOTrainer(str(tiny_checkpoint), tasks, config(tmp_path)))
    trainer._generate(["0"])
    first = trainer._rollouts["train"][0].completion_ids
    trainer._generate(["0"])
    assert trainer._rollouts["train"][0].completion_ids != first


def test_a_checkpoint_amid_a_generation_batch_is_refused_with_the_step_that_works(tmp_path):
    def saved_every(save_steps, *, generation, accumulation):
        options = {"steps_per_generation": generation, "gradient_accumulation_steps": accumulation}
        return config(tmp_path, save_strategy="steps", save_steps=save_steps, **options)

    with pytest.raises(ConfigError, match=r"lasts 2 .* multiple of 2"):
        saved_every(3, generation=4, accumulation=2)
    saved_every(4, generation=4, accumulation=2)
    with pytest.raises(ConfigError, match=r"lasts 1\.5 .* multiple of 3"):
        saved_every(4, generation=3, accumulation=2)
    saved_every(6, generation=3, accumulation=2)
    saved_every(5, generation=2, accumulation=4)


def test_turns_that_do_not_fit_into_an_episode_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="max_completion_length"):
        config(tmp_path, max_turns=4, max_turn_tokens=9)


def test_held_out_tasks_are_played_and_logged(tiny_checkpoint, tasks, tmp_path):
    args = config(tmp_path, eval_strategy="steps", eval_steps=1, per_device_eval_batch_size=ROWS)
    held_out = load_tasks("sample:vstar-tiny", split="test", count=2)
    trainer = playing(in_turn("<answer>7"))(str(tiny_checkpoint), tasks, args, eval_tasks=held_out)
    trainer.train()
    rows = [row for row in trainer.state.log_history if "eval_reward" in row]
    assert rows and rows[0]["eval_accuracy"] == np.mean([task.answers == ("7",) for task in held_out.tasks])


# ------------------------------------------------------------------------------------------------ options of TRL's own


def test_with_lora_only_the_adapter_moves_and_the_sampler_uses_it(tiny_checkpoint, tasks, tmp_path):
    from peft import LoraConfig

    one = TaskSet("one", tasks.tasks[:1], budgets=tasks.budgets)
    right, wrong = in_turn("<crop> 0 0 4 4", f"<answer>{one.tasks[0].answers[0]}"), in_turn("<answer>wrong")
    trainer = playing(by_place(right, wrong))(
        str(tiny_checkpoint), one, config(tmp_path, per_device_train_batch_size=GROUP),
        peft_config=LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False),
    )  # fmt: skip
    before = copy.deepcopy(trainer.model.state_dict())
    trainer.train()
    after = trainer.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and all("lora_" in name for name in moved)


@pytest.mark.parametrize("options", [{"beta": 0.1}, {"num_iterations": 2}, {"mask_truncated_completions": True}])
def test_forward_passes_other_than_the_losss_get_their_pictures_too(tiny_checkpoint, tasks, tmp_path, options):
    one = TaskSet("one", tasks.tasks[:1], budgets=tasks.budgets)
    right = in_turn("<crop> 0 0 4 4", f"<answer>{one.tasks[0].answers[0]}")
    cut = in_turn("<crop> 0 0 4 4", "0 1 2 3 4 5 6 7 8 9")
    args = config(tmp_path, per_device_train_batch_size=GROUP, max_steps=2, **options)
    trainer = playing(by_place(right, cut))(str(tiny_checkpoint), one, args)
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    assert len(losses) == 2 and all(np.isfinite(losses))
