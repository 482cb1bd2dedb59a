"""Native tool calls: the environment sees ordinary turns, the endpoint sees tools, tool calls and tool messages."""

import dataclasses
import json

import pytest

from agents.chat.plain import PlainChat
from agents.engines.endpoint import EndpointEngine
from agents.engines.endpoint.messages import messages_of
from agents.engines.endpoint.support import Support
from pixel_env.actions import tool_schemas, write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Malformed, Stop
from pixel_env.errors import ConfigError
from pixel_env.operations.crop_image import CropImage
from pixel_env.testing import tiny_task
from tests.agents.engines.endpoint.server import crop, engine_at, played, said

DEFAULT = dataclasses.replace(dialect_named("default"), shows_tools=False)
ANSWER = said("\\boxed{7}")


def native(endpoint, script, **options):
    endpoint.script = script
    [trajectory] = played(endpoint, dialect=DEFAULT, are_calls_native=True, **options)
    return trajectory


def in_turn(*answers):
    return lambda body, number: answers[min(number, len(answers)) - 1]


def parts_of(message, kind):
    content = message["content"]
    return [] if isinstance(content, str) else [part for part in content if part["type"] == kind]


def test_a_tool_call_is_an_ordinary_turn_and_its_result_a_tool_message_with_the_image(endpoint):
    trajectory = native(endpoint, in_turn(said("I zoom in.", calls=[crop()], finish_reason="tool_calls"), ANSWER))
    assert (trajectory.stop, trajectory.reward) == (Stop.ANSWERED, 1.0)
    turn = trajectory.turns[0]
    arguments = '{"bbox_2d": [0.0, 0.0, 0.5, 0.5], "target_image": 1}'
    assert turn.text == f'I zoom in.\n<tool_call>{{"name": "crop_image", "arguments": {arguments}}}</tool_call>'
    assert isinstance(turn.action, CropImage) and turn.action.box == Box(0, 0, 0.5, 0.5) and turn.failure is None

    first, second = endpoint.bodies
    assert first["tools"] == second["tools"] == tool_schemas(DEFAULT)
    assistant, tool = second["messages"][-2:]
    assert assistant["content"] == "I zoom in." and second["messages"][:-2] == first["messages"]
    [call] = assistant["tool_calls"]
    assert call["type"] == "function" and call["function"]["name"] == "crop_image"
    assert call["function"]["arguments"] == arguments
    assert (tool["role"], tool["tool_call_id"]) == ("tool", call["id"])
    assert len(parts_of(tool, "image_url")) == 1
    assert [part["text"] for part in parts_of(tool, "text")] == [turn.observation]


def test_the_tools_stand_in_no_prompt_as_well(endpoint):
    trajectory = native(endpoint, in_turn(ANSWER))
    assert "crop_image" not in json.dumps(endpoint.bodies[0]["messages"]) and "<tools>" not in trajectory.prompt.system
    assert dialect_named("default").shows_tools


def test_calls_as_text_send_no_tools(endpoint):
    endpoint.script = in_turn(ANSWER)
    played(endpoint)
    assert "tools" not in endpoint.bodies[0] and "<tools>" in json.dumps(endpoint.bodies[0]["messages"])


def test_images_that_the_endpoint_refuses_in_tool_messages_go_to_the_user_message_from_then_on(endpoint):
    def script(body, number):
        if any(message["role"] == "tool" and not isinstance(message["content"], str) for message in body["messages"]):
            return 400, "Invalid 'messages[3].content': image_url is only allowed in messages with role 'user'"
        crops = sum(message["role"] == "tool" for message in body["messages"])
        return said(calls=[crop()]) if crops < 2 else ANSWER

    trajectory = native(endpoint, script)
    assert trajectory.stop is Stop.ANSWERED and len(trajectory.views) == 3
    assert len(endpoint.bodies) == 4  # one more than turns: it is refused once, and remembered
    *_, tool, user = endpoint.bodies[-1]["messages"]
    assert tool["role"] == "tool" and tool["content"] == trajectory.turns[1].observation
    assert user["role"] == "user" and [part["type"] for part in user["content"]] == ["image_url"]


@pytest.mark.parametrize(("chosen", "in_tool"), [("user", False), ("tool", True)])
def test_where_images_stand_can_be_chosen(endpoint, chosen, in_tool):
    native(endpoint, in_turn(said(calls=[crop()]), ANSWER), tool_images=chosen)
    *_, last = endpoint.bodies[1]["messages"]
    assert last["role"] == ("tool" if in_tool else "user") and len(parts_of(last, "image_url")) == 1


def test_images_that_were_chosen_for_tool_messages_are_moved_by_no_refusal(endpoint):
    script = in_turn(said(calls=[crop()]), (400, "no image in content of role tool"))
    trajectory = native(endpoint, script, tool_images="tool")
    assert trajectory.stop is Stop.FAILED and "no image in content" in trajectory.error and len(endpoint.bodies) == 2


def test_a_refusal_of_something_else_is_not_taken_for_one_of_images(endpoint):
    trajectory = native(endpoint, in_turn(said(calls=[crop()]), (400, "the prompt is too long")))
    assert trajectory.stop is Stop.FAILED and "too long" in trajectory.error and len(endpoint.bodies) == 2


def test_parallel_calls_are_one_turn_that_the_grammar_judges_and_each_is_answered(endpoint):
    trajectory = native(endpoint, in_turn(said(calls=[crop(), crop((0.5, 0.5, 1, 1))]), ANSWER))
    turn = trajectory.turns[0]
    assert turn.text.count("<tool_call>") == 2 and isinstance(turn.action, Malformed)
    assistant, *results = endpoint.bodies[1]["messages"][-3:]
    ids = [call["id"] for call in assistant["tool_calls"]]
    assert [call["function"]["name"] for call in assistant["tool_calls"]] == ["crop_image", "crop_image"]
    assert [result["tool_call_id"] for result in results] == ids and len(set(ids)) == 2
    assert results[0]["content"] == turn.observation and "Only one call" in turn.observation


def test_ids_are_unique_in_a_conversation_and_the_same_in_each_request(endpoint):
    native(endpoint, in_turn(said(calls=[crop()]), said(calls=[crop()]), ANSWER), max_turns=4)
    ids = [[call["id"] for m in body["messages"] for call in m.get("tool_calls", ())] for body in endpoint.bodies]
    assert len(set(ids[2])) == 2 and ids[1] == ids[2][:1]
    assert all(len(id) == 9 and id.isalnum() for id in ids[2])  # what Mistral's templates require


@pytest.mark.parametrize("arguments", ['{"bbox_2d": [0.1, ', "crop the lamp", "[1, 2]", '"text"', "null", "7"])
def test_arguments_that_are_no_object_are_a_broken_call_and_the_conversation_goes_on(endpoint, arguments):
    trajectory = native(endpoint, in_turn(said(calls=[("crop_image", arguments)]), ANSWER))
    assert isinstance(trajectory.turns[0].action, Malformed) and trajectory.stop is Stop.ANSWERED
    assert "crop_image takes bbox_2d" in trajectory.turns[0].observation
    sent = endpoint.bodies[1]["messages"][-2]["tool_calls"][0]["function"]
    assert sent["name"] == "crop_image" and isinstance(json.loads(sent["arguments"]), dict)


@pytest.mark.parametrize("arguments", [{"bbox_2d": [0, 0, 1, 1], "target_image": 1}, "", None])
def test_arguments_as_an_object_or_left_out_are_read(endpoint, arguments):
    trajectory = native(endpoint, in_turn(said(calls=[("crop_image", arguments)]), ANSWER))
    action = trajectory.turns[0].action
    assert isinstance(action, CropImage) if arguments else isinstance(action, Malformed)


def test_the_call_field_before_tool_calls_is_read(endpoint):
    name, arguments = crop()
    old = said(None, function_call={"name": name, "arguments": arguments}, finish_reason="function_call")
    assert isinstance(native(endpoint, in_turn(old, ANSWER)).turns[0].action, CropImage)


def test_a_tool_that_was_not_declared_is_refused_by_the_environment(endpoint):
    trajectory = native(endpoint, in_turn(said(calls=[("search_web", "{}")]), ANSWER))
    assert trajectory.turns[0].failure.code == "unknown_operation"
    assert endpoint.bodies[1]["messages"][-1]["content"] == trajectory.turns[0].observation


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_thought_is_kept_in_the_turn_and_returned_in_the_field_it_came_in(endpoint, field):
    thinking = said("Look.", calls=[crop()], **{field: "Where is it?"})
    trajectory = native(endpoint, in_turn(thinking, ANSWER))
    assert trajectory.turns[0].text.startswith("<think>Where is it?</think>Look.\n<tool_call>")
    assistant = endpoint.bodies[1]["messages"][-2]
    assert (assistant[field], assistant["content"]) == ("Where is it?", "Look.")


def test_a_thought_that_an_endpoint_does_not_take_back_is_left_out(endpoint):
    def script(body, number):
        if any("reasoning_content" in message for message in body["messages"]):
            return 400, "reasoning_content is not allowed in messages"
        return said(calls=[crop()], reasoning_content="Hm.") if number < 3 else ANSWER

    trajectory = native(endpoint, script, max_turns=4)
    assert trajectory.stop is Stop.ANSWERED and "<think>Hm.</think>" in trajectory.turns[0].text


def test_a_thought_that_the_token_limit_cuts_stays_open(endpoint):
    trajectory = native(endpoint, in_turn(said(None, reasoning_content="I wonder", finish_reason="length"), ANSWER))
    assert trajectory.turns[0].text == "<think>I wonder"


def test_a_call_that_the_model_writes_as_text_is_executed_and_sent_back_as_written(endpoint):
    text = "See:\n" + write(CropImage(0, Box(0, 0, 0.5, 0.5)), DEFAULT).replace('{"name"', '{ "name"')
    trajectory = native(endpoint, in_turn(said(text), ANSWER))
    assert isinstance(trajectory.turns[0].action, CropImage)
    assistant, observation = endpoint.bodies[1]["messages"][-2:]
    assert assistant == {"role": "assistant", "content": text} and observation["role"] == "user"


def test_scripted_first_turns_are_tool_calls_too():
    chat, call = PlainChat(DEFAULT), write(CropImage(0, Box(0, 0, 0.5, 0.5)), DEFAULT)
    ids = (*chat._user_turn("one", []), *chat.encode(call), *chat._user_turn("seen", []))
    user, assistant, tool = messages_of(ids, [], chat, support=Support(), are_calls_native=True)
    assert (user["role"], assistant["content"], tool["role"]) == ("user", None, "tool")
    assert assistant["tool_calls"][0]["id"] == tool["tool_call_id"]


def test_a_dialect_without_tools_to_declare_is_refused_and_one_that_offers_no_calls_sends_none(endpoint):
    with pytest.raises(ConfigError, match=r"'tiny' describes none.*--dialect default"):
        engine_at(endpoint, "tiny", are_calls_native=True)
    endpoint.script = in_turn(ANSWER)
    played(endpoint, dialect="default:notool", are_calls_native=True)
    assert "tools" not in endpoint.bodies[0]


@pytest.mark.parametrize("row", ["default", "qwen2.5-vl", "qwen3-vl", "released", "default+rotate"])
def test_every_dialect_with_calls_in_json_can_be_played_natively(row):
    chat = PlainChat(dialect_named(row))
    EndpointEngine("m", chat, base_url="http://127.0.0.1:9/v1", api_key="none", are_calls_native=True).close()


def test_a_question_with_the_text_of_a_call_stays_the_users(endpoint):
    endpoint.script = in_turn(ANSWER)
    played(endpoint, [tiny_task(question="What is <tool_call>?")], dialect=DEFAULT, are_calls_native=True)
    assert "What is <tool_call>?" in json.dumps(endpoint.bodies[0]["messages"][-1])


def test_an_endpoint_that_takes_no_tools_stops_the_rollout_and_says_how_to_start_it(endpoint):
    refusal = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    with pytest.raises(
        ConfigError, match=r"takes no tools: .*\"auto\" tool choice.*vllm serve: --enable-auto-tool-choice"
    ):
        native(endpoint, in_turn((400, refusal)))
    assert len(endpoint.bodies) == 1


def test_a_call_of_another_type_than_a_function_is_one_of_nothing_that_was_declared(endpoint):
    custom = said(None)
    custom["choices"][0]["message"]["tool_calls"] = [{"id": "x", "type": "custom", "custom": {"input": "hi"}}]
    trajectory = native(endpoint, in_turn(custom, ANSWER))
    assert trajectory.turns[0].failure.code == "unknown_operation" and len(endpoint.bodies) == 2


@pytest.mark.parametrize("row", ["qwen3.5", "glm-4.5v"])
def test_half_of_a_character_in_an_argument_is_replaced_where_the_dialect_writes_it_unescaped(endpoint, row):
    dialect = dataclasses.replace(dialect_named(row), shows_tools=False)
    call = ("crop_image", '{"bbox_2d": [0, 0, 500, 500], "target_image": 1, "note": "\\ud83d"}')
    endpoint.script = in_turn(said("", calls=[call]), ANSWER)
    [trajectory] = played(endpoint, dialect=dialect, are_calls_native=True)
    assert trajectory.error is None and "\ufffd" in trajectory.turns[0].text
    assert "It has no 'note'" in trajectory.turns[0].observation
