"""Every published form of the benchmarks, as a fixture in its schema, becomes tasks that are played and graded."""

import pytest

from pixel_env.boxes import Box
from pixel_env.env import PixelEnv
from pixel_env.errors import TaskError
from pixel_env.grading import grade
from pixel_env.task import Evidence
from pixel_env.tasks import load_tasks
from pixel_env.tasks.formats.mvbench import BOUNDED, FOLDERS
from tests.pixel_env.tasks.published import PUBLISHED

NAMES = tuple(PUBLISHED)


@pytest.mark.parametrize("name", NAMES)
def test_every_published_form_is_recognised_by_its_columns_and_nothing_is_wrong_with_it(name, published, tmp_path):
    task_set = load_tasks(published[name](tmp_path), strict=True)
    assert len(task_set) >= 1 and task_set.notice == ""
    assert len({task.task_id for task in task_set.tasks}) == len(task_set)


@pytest.mark.parametrize("name", NAMES)
def test_every_task_is_played_and_its_own_answer_is_right(name, published, tmp_path):
    task_set = load_tasks(published[name](tmp_path))
    env = PixelEnv(task_set, dialect="released:vcot:train-pixels")
    for task in task_set.tasks:
        observation, _ = env.reset(options={"task_id": task.task_id})
        assert len(observation["images"]) == len(task.sources) > 0
        assert env.step(f"\\boxed{{{task.answers[0]}}}")[1] == 1.0


def test_the_released_training_data_is_choices_numbers_and_videos_of_16_frames(published, tmp_path):
    choice, count, video = load_tasks(published["rl-data"](tmp_path)).tasks
    assert choice.question == "What is the material of the glove?\nAnswer with the letter directly."
    assert (choice.options, choice.answers, choice.grader) == (("rubber", "cotton"), ("B",), "choice")
    assert (choice.task_id, choice.category, choice.media, len(choice.sources)) == ("vstar-7", "vstar", "image", 1)
    assert (count.answers, count.grader, count.options) == (("4",), "number", ())
    assert (video.media, video.answers, video.grader) == ("video", ("The clothes.", "clothes"), "exact")
    assert [source.path.name for source in video.sources[:3]] == ["00.png", "01.png", "02.png"]
    assert len(video.sources) == 16 and video.sources[-1].path.name == "19.png"


def test_the_columns_of_the_released_data_are_read_from_json_and_lines_and_a_row_needs_no_image(make, tmp_path):
    rows = [{"question": "What is 6 times 7?", "gt_answer": "\\boxed{42}", "image": [], "qid": "text-1"}]
    for path in (make.as_json(tmp_path / "release.json", rows), make.as_lines(tmp_path / "lines.jsonl", rows)):
        [task] = load_tasks(path).tasks
        assert (task.media, task.answers, task.grader, task.category) == ("text", ("42",), "number", "text")


def test_several_images_of_mvbench_are_a_video_where_the_column_that_says_so_is_missing(make, tmp_path):
    names = [f"images/{i}.jpg" for i in range(20)]
    for name in names:
        make.picture(tmp_path / name, (64, 48))
    row = {"qid": "mvbench-1", "question": "q (A) x (B) y", "answer": "\\boxed{A}", "image": names}
    [task] = load_tasks(make.as_json(tmp_path / "eval.json", [row])).tasks
    assert (task.media, len(task.sources)) == ("video", 16)
    [task] = load_tasks(make.as_json(tmp_path / "eval.json", [row | {"qid": "pairs-1", "image": names[:2]}])).tasks
    assert (task.media, len(task.sources)) == ("image", 2)


def test_a_question_id_that_comes_again_gets_a_number(make, tmp_path):
    make.picture(tmp_path / "images/dogs.png")
    path = make.as_json(tmp_path / "release.json", [make.RL_ROWS[1]] * 3)
    assert [task.task_id for task in load_tasks(path).tasks] == ["tally-3", "tally-3#2", "tally-3#3"]


def test_a_letter_that_is_none_of_the_options_leaves_the_question_as_it_was(make, tmp_path):
    make.picture(tmp_path / "images/glove.png")
    path = make.as_json(tmp_path / "release.json", [make.RL_ROWS[0] | {"answer": ["\\boxed{E}"]}])
    [task] = load_tasks(path).tasks
    assert "(A) rubber" in task.question and task.answers == ("E",) and task.options == ()


def test_infographics_are_graded_by_anls_in_evaluation_and_exactly_in_the_training_data(make, tmp_path):
    make.picture(tmp_path / "images/dogs.png")
    row = make.RL_ROWS[1] | {"qid": "InfoVQA-1", "answer": ["\\boxed{42}"]}
    assert load_tasks(make.as_json(tmp_path / "infovqa.json", [row])).tasks[0].grader == "anls"
    assert load_tasks(make.as_json(tmp_path / "release.json", [row])).tasks[0].grader == "number"


def test_vstar_lines_lose_the_request_for_a_letter_and_get_the_boxes_that_lie_beside(published, tmp_path):
    attribute, position = load_tasks(published["vstar"](tmp_path)).tasks
    assert attribute.question == "What is the colour of the cup?"
    assert (attribute.options, attribute.answers) == (("red", "blue", "green", "white"), ("C",))
    assert (attribute.category, position.category) == ("direct_attributes", "relative_position")
    assert attribute.evidence == (Evidence(0, Box(0.1, 0.1, 0.3, 0.3)),)
    assert position.evidence[1].box == Box(300 / 320, 200 / 240, 1.0, 1.0), "cut at the picture's edges"


def test_the_first_option_of_a_vstar_file_is_right(published, tmp_path):
    task = load_tasks(published["vstar-files"](tmp_path)).tasks[0]
    assert (task.task_id, task.category) == ("direct_attributes/sa_1", "direct_attributes")
    assert task.answers == (task.options[0],) and len(task.evidence) == 1


def test_complex_questions_of_tallyqa_are_those_that_are_not_simple(published, tmp_path):
    path = published["tallyqa"](tmp_path)
    both, complex_ones = load_tasks(path), load_tasks(f"tallyqa-complex:{path}", strict=True)
    assert [(task.category, task.answers, task.grader) for task in both.tasks] == [
        ("complex", ("4",), "number"),
        ("simple", ("1",), "number"),
    ]
    assert [task.task_id for task in complex_ones.tasks] == ["tallyqa-30095774"]


def test_infographicvqa_finds_its_image_folder_and_takes_all_answers(published, tmp_path):
    [task] = load_tasks(published["infographicvqa"](tmp_path)).tasks
    assert (task.answers, task.grader, task.category) == (("pinterest", "Pinterest Inc"), "anls", "single span")


def test_a_split_without_answers_says_which_file_to_take(make, published, tmp_path):
    published["infographicvqa"](tmp_path)
    row = {name: value for name, value in make.INFO_ROW.items() if name != "answers"}
    make.as_json(tmp_path / "infographicsVQA_test_v1.0.json", {"dataset_split": "test", "data": [row]})
    with pytest.raises(TaskError, match="use the validation file"):
        load_tasks(tmp_path / "infographicsVQA_test_v1.0.json")
    assert load_tasks(tmp_path).name == "infographicsVQA_val_v1.0_withQT"


def test_mvbench_takes_videos_with_bounds_folders_of_frames_and_frames_at_three_a_second(published, tmp_path):
    by_task = {task.category: task for task in load_tasks(published["mvbench"](tmp_path), strict=True).tasks}
    clip = by_task["action_sequence"].sources
    assert [(frame.number, frame.count, frame.start_s, frame.end_s) for frame in clip[::15]] == [
        (0, 16, 2.0, 9.5),
        (15, 16, 2.0, 9.5),
    ]
    names = [source.path.name for source in by_task["moving_count"].sources]
    assert (len(names), names[0], names[1], names[-1]) == (16, "0.jpg", "1.jpg", "19.jpg"), "by number, not by text"
    seconds = [int(source.path.stem) for source in by_task["episodic_reasoning"].sources]
    assert len(seconds) == 16 and (seconds[0], seconds[-1]) == (6, 28)
    assert {task.media for task in by_task.values()} == {"video"}


def test_the_frames_of_a_clip_have_keys_of_their_own_that_go_by_content_and_not_by_path(published, make, tmp_path):
    first, second = (load_tasks(published["mvbench"](tmp_path / name) / "json/action_sequence.json") for name in "ab")
    keys = [frame.key for frame in first.tasks[0].sources]
    assert len(set(keys)) == 16 and keys == [frame.key for frame in second.tasks[0].sources]
    make.film(first.tasks[0].sources[0].path, frames=99)
    again = load_tasks(tmp_path / "a/json/action_sequence.json").tasks[0]
    assert set(keys).isdisjoint(frame.key for frame in again.sources)


def test_mvbench_has_the_20_tasks_of_its_notebook_of_which_five_are_about_a_part():
    assert sorted(FOLDERS) == [
        *("action_antonym", "action_count", "action_localization", "action_prediction", "action_sequence"),
        *("character_order", "counterfactual_inference", "egocentric_navigation", "episodic_reasoning"),
        *("fine_grained_action", "fine_grained_pose", "moving_attribute", "moving_count", "moving_direction"),
        *("object_existence", "object_interaction", "object_shuffle", "scene_transition", "state_change"),
        "unexpected_action",
    ]
    bounded = {"action_sequence", "action_prediction", "object_interaction", "action_localization"}
    assert bounded | {"episodic_reasoning"} == BOUNDED


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_every_task_of_mvbench_is_read_from_its_own_folder_with_its_bounds(name, make, tmp_path):
    row = make.MV_ROW | ({"video": "C"} if name == "episodic_reasoning" else {})
    place = tmp_path / "video" / FOLDERS[name] / row["video"]
    if name == "episodic_reasoning":
        for number in range(1, 41):
            make.picture(place / f"{number:05}.jpg", (64, 48))
    else:
        make.film(place)
    [task] = load_tasks(make.as_json(tmp_path / "json" / f"{name}.json", [row]), strict=True).tasks
    assert (task.category, task.task_id, task.media, len(task.sources)) == (name, f"{name}:1", "video", 16)
    if name == "episodic_reasoning":
        assert [source.path.stem for source in task.sources[::15]] == ["00006", "00028"]
    else:
        assert {(frame.start_s, frame.end_s) for frame in task.sources} == {
            (2.0, 9.5) if name in BOUNDED else (None, None)
        }


def test_videos_of_mvbenchs_supplement_are_found(make, tmp_path):
    make.film(tmp_path / "video/data0613/star/Charades_v1_480/A.mp4")
    path = make.as_json(tmp_path / "json/action_sequence.json", [make.MV_ROW])
    assert len(load_tasks(path, strict=True)) == 1


def test_mvbenchs_table_names_task_and_folder_and_without_bounds_its_videos_are_trimmed_already(
    published, make, tmp_path
):
    sequence, count = load_tasks(published["mvbench-table"](tmp_path), strict=True).tasks
    assert (sequence.task_id, sequence.sources[0].start_s, sequence.sources[0].end_s) == ("action_sequence:1", 2.0, 9.5)
    assert (count.category, count.options, len(count.sources)) == ("moving_count", sequence.options, 16)
    assert len(load_tasks(tmp_path, strict=True)) == 2, "of the table, not of the files that it was made from"
    make.film(tmp_path / "star/Charades_segment/A_2.0_9.5.mp4")
    row = {"task_type": "Action Sequence", "prefix": "star/Charades_segment/", "video": "A_2.0_9.5.mp4"}
    row |= {name: make.MV_ROW[name] for name in ("question", "candidates", "answer")}
    [task] = load_tasks(make.as_tsv(tmp_path / "MVBench_MP4.tsv", [row]), strict=True).tasks
    assert task.sources[0].start_s is None
    with pytest.raises(TaskError, match="'Juggling' is not a task of MVBench"):
        load_tasks(make.as_tsv(tmp_path / "MVBench_MP4.tsv", [row | {"task_type": "Juggling"}]))


def test_one_file_of_mvbench_is_read_alone_and_finds_its_videos(published, tmp_path):
    [task] = load_tasks(published["mvbench"](tmp_path) / "json" / "action_sequence.json", strict=True).tasks
    assert task.task_id == "action_sequence:1"


def test_a_missing_video_and_a_part_that_ends_before_it_begins_are_named(make, published, tmp_path):
    published["mvbench"](tmp_path)
    rows = [make.MV_ROW, make.MV_ROW | {"end": 1.0}, make.MV_ROW | {"video": "gone.mp4"}]
    path = make.as_json(tmp_path / "json" / "action_sequence.json", rows)
    with pytest.raises(TaskError) as error:
        load_tasks(path, strict=True)
    assert "row 2: 'start' and 'end'" in str(error.value) and "row 3: there is no video 'gone.mp4'" in str(error.value)


def test_images_stay_in_a_tab_separated_file_and_rows_may_share_one(published, tmp_path):
    first, second = load_tasks(published["vlmevalkit"](tmp_path)).tasks
    assert first.question == 'What does the "sign" say?\nLook closely.'
    assert (first.options, first.answers, first.grader) == (("stop", "go"), ("B",), "choice")
    assert first.sources == second.sources and first.sources[0].decode().size == (320, 240)


def test_an_answer_without_the_percent_sign_of_its_reference_is_close_under_anls_in_every_form(make, tmp_path):
    make.picture(tmp_path / "a.png")
    own = {"question": "Which share?", "image": "a.png", "answer": "12%", "grader": "anls"}
    infographic = {"questionId": 1, "question": "Which share?", "image_local_name": "a.png", "answers": ["12%"]}
    released = {"qid": "InfoVQA-1", "question": "Which share?", "image": ["a.png"], "gt_answer": ["\\boxed{12%}"]}
    row = {"index": 5, "image": make.encoded(), "question": "Which share?", "answer": "['12%']"}
    paths = [
        make.as_lines(tmp_path / "own.jsonl", [own]),
        make.as_json(tmp_path / "infographicsVQA_val_v1.0_withQT.json", {"data": [infographic]}),
        make.as_json(tmp_path / "infovqa.json", [released]),
        make.as_tsv(tmp_path / "InfoVQA_VAL.tsv", [row]),
    ]
    for path in paths:
        [task] = load_tasks(path).tasks
        assert (task.grader, task.answers) == ("anls", ("12%",))
        assert grade(task, "12") == pytest.approx(2 / 3) and grade(task, "12%") == 1.0


def test_a_percent_sign_does_not_take_the_options_from_a_question(make, tmp_path):
    row = {"qid": "charts-1", "question": "Which share?\n(A) 12%\n(B) 15%", "image": [], "gt_answer": "\\boxed{12%}"}
    [task] = load_tasks(make.as_json(tmp_path / "release.json", [row])).tasks
    assert (task.options, task.grader, task.answers) == (("12%", "15%"), "choice", ("12%",))


def test_tab_separated_answers_are_lists_numbers_and_texts(make, tmp_path):
    rows = [{"index": 5, "image": make.encoded(), "question": "q", "answer": "['a b', \"c\"]"}]
    [task] = load_tasks(make.as_tsv(tmp_path / "InfoVQA_VAL.tsv", rows)).tasks
    assert (task.answers, task.grader) == (("a b", "c"), "anls")
    rows = [{"index": 5, "image": make.encoded(), "question": "How many?", "answer": 7}]
    [task] = load_tasks(make.as_tsv(tmp_path / "tallyqa_data.tsv", rows)).tasks
    assert (task.answers, task.grader) == (("7",), "number")


def test_a_list_of_images_and_images_by_path_are_read_from_a_tab_separated_file(make, tmp_path):
    two = str([make.encoded("red"), make.encoded("blue")])
    [task] = load_tasks(
        make.as_tsv(tmp_path / "a.tsv", [{"index": 1, "image": two, "question": "q", "answer": "x"}])
    ).tasks
    assert [source.decode().getpixel((9, 9))[0] > 100 for source in task.sources] == [True, False]
    make.picture(tmp_path / "one.png")
    rows = [{"index": 1, "image_path": "one.png", "question": "q", "answer": "x"}]
    assert len(load_tasks(make.as_tsv(tmp_path / "b.tsv", rows), strict=True).tasks[0].sources) == 1
