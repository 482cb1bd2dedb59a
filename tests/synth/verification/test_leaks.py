import pytest

from pixel_env.testing import tiny_task
from synth.verification.leaks import LeakKind, announcement_in, leak_in

DIGIT = tiny_task(answers=("7",), needs_looking=True)
ONE = tiny_task(answers=("1",), needs_looking=True)
THREE = tiny_task(answers=("3",), needs_looking=True)
COUNT = tiny_task(
    question="How many red cards show an even digit?", answers=("2",), grader="number", needs_looking=True
)
ONE_DOG = tiny_task(question="How many dogs are on the beach?", answers=("1",), grader="number")
LARGE = tiny_task(question='Which number is given as "height" for Everest?', answers=("8,849", "8849"))
MATERIAL = tiny_task(
    question="What is the material of the glove?",
    options=("rubber", "cotton", "kevlar", "leather"),
    answers=("leather",),
    grader="choice",
)
CHANGE = tiny_task(
    question="How does the digit on the red card change?",
    options=("from 3 to 7", "from 3 to 5", "from 2 to 7", "from 2 to 5"),
    answers=("from 3 to 7",),
    grader="choice",
)
SIDE = tiny_task(question="Is the dog left or right of the tree?", answers=("left",))
YES = tiny_task(question="Is the bin left of the door?", answers=("no",))
PLANET = tiny_task(question="Which planet is marked with a dot?", answers=("Venus",))
EASY = tiny_task(question="Which colour is the sky?", answers=("blue",), needs_looking=False)

NOTE = tiny_task(question='In the panel "Notes": which note stands in row 3?', answers=("E",))
CHOICE = tiny_task(options=("4", "1", "9", "7"), answers=("1",), grader="choice")

LEAKS = [
    (DIGIT, "The red card shows a 7, let me make sure.", LeakKind.NUMBER),
    (DIGIT, "There is a seven on the card.", LeakKind.NUMBER),
    (DIGIT, "It could be 4 or 7.", LeakKind.NUMBER),
    (DIGIT, "The answer is 4, but I want to check.", LeakKind.ANNOUNCED),
    (DIGIT, "Final answer: 7", LeakKind.ANNOUNCED),
    (DIGIT, "It is probably a 7.", LeakKind.ANNOUNCED),
    (DIGIT, "So \\boxed{7}, let me look.", LeakKind.ANNOUNCED),
    (ONE, "The card shows one, I think.", LeakKind.NUMBER),
    (ONE, "The digit 1 is on it.", LeakKind.NUMBER),
    (COUNT, "I can count two of them.", LeakKind.NUMBER),
    (COUNT, "Two red cards seem to match.", LeakKind.NUMBER),
    (ONE_DOG, "There is one dog near the water.", LeakKind.NUMBER),
    (LARGE, "The small print says 8849.", LeakKind.NUMBER),
    (MATERIAL, "The glove is made of leather.", LeakKind.TEXT),
    (MATERIAL, "The answer is B.", LeakKind.ANNOUNCED),
    (MATERIAL, "I think it is (D).", LeakKind.ANNOUNCED),
    (MATERIAL, "Option D is correct.", LeakKind.ANNOUNCED),
    (MATERIAL, "The correct option is cotton.", LeakKind.ANNOUNCED),
    (CHANGE, "The digit goes from a 3 to a 7 later on.", LeakKind.NUMBER),
    (SIDE, "The answer is left.", LeakKind.ANNOUNCED),
    (SIDE, "I guess it is left.", LeakKind.ANNOUNCED),
    (YES, "No, it stands elsewhere; let me check.", LeakKind.TEXT),
    (PLANET, "The dot is beside Venus.", LeakKind.TEXT),
    (EASY, "The answer is blue.", LeakKind.ANNOUNCED),
    (NOTE, "There seems to be an E in that row.", LeakKind.TEXT),
    (CHOICE, "The answer is one.", LeakKind.ANNOUNCED),
    (CHOICE, "It shows a 1.", LeakKind.NUMBER),
]
NO_LEAKS = [
    (DIGIT, "A photograph with a red card; its digit is too small to read."),
    (DIGIT, "I will look at frame 7."),
    (DIGIT, "Frames 5, 6 and 7 may show it."),
    (DIGIT, "The card is near (0.7, 0.7), at [7, 1, 9, 3]."),
    (DIGIT, "The answer is too small to read from here."),
    (DIGIT, "There are seven cards in all."),
    (DIGIT, "It looks like 17 or 70."),
    (DIGIT, "It is the 7th picture."),
    (ONE, "This is one of the cards."),
    (ONE, "I need the red one."),
    (ONE, "One more look will tell; one can see a card."),
    (ONE, "One side of the picture is dark."),
    (THREE, "Three cards lie on the ground."),
    (THREE, "There are 3 coloured cards."),
    (COUNT, "There are two groups to look at."),
    (COUNT, "Let me take two crops."),
    (COUNT, "Image 2 was too coarse."),
    (LARGE, "The table is on the left, in row 8 or so."),
    (MATERIAL, "Is it rubber or leather? I cannot tell."),
    (MATERIAL, "The answer is either A or D."),
    (MATERIAL, "The answer is not B."),
    (MATERIAL, "The answer is a matter of texture."),
    (MATERIAL, "This is a picture of a hand."),
    (CHANGE, "A 3 may be there at first."),
    (SIDE, "The tree stands on the left side, and I look for the dog."),
    (YES, "No detail can be read here, and there is no sign."),
    (PLANET, "The venusian surface is not asked for."),
    (NOTE, "Every row of the e-book looks alike; the note is too small."),
    (CHOICE, "One of 4 digits must be right, and I see one card."),
    (EASY, "The blue sky is above; the card is below."),
]


@pytest.mark.parametrize(("task", "text", "kind"), LEAKS, ids=[text for _, text, _ in LEAKS])
def test_a_text_that_states_the_detail_is_refused(task, text, kind):
    leak = leak_in(text, task)
    assert leak is not None and leak.kind is kind


@pytest.mark.parametrize(("task", "text"), NO_LEAKS, ids=[text for _, text in NO_LEAKS])
def test_a_text_that_only_uses_the_same_words_passes(task, text):
    assert leak_in(text, task) is None


ONE_OF_TWO = tiny_task(
    question="Which colour has the card with the larger digit?",
    answers=("red",),
    options=("red", "blue"),
    grader="choice",
)
ANNOUNCED = [
    (COUNT, "The answer is 2."),
    (COUNT, "The answer is 5."),
    (COUNT, "So the answer must be two."),
    (COUNT, "In total I count 2."),
    (COUNT, "That makes two in all."),
    (COUNT, "The total is 2."),
    (COUNT, "My final count is 2."),
    (COUNT, "The number that fits the question is 2."),
    (COUNT, "Altogether two red cards show an even digit."),
    (COUNT, "It settles the question: 2."),
    (COUNT, "I see a card.\nThis tells me the answer: 2."),
    (ONE_OF_TWO, "It must be A."),
    (ONE_OF_TWO, "Option A is correct."),
    (ONE_OF_TWO, "The answer to the question is therefore red."),
    (PLANET, "My conclusion is Venus."),
]
PARTS = [
    (COUNT, "This group has 2 of them."),
    (COUNT, "I count 2 so far."),
    (COUNT, "In this crop the total is 2."),
    (COUNT, "Here two red cards show an even digit."),
    (COUNT, "The number on the left card is 2."),
    (COUNT, "This region is settled: 2 red cards."),
    (COUNT, "I see 2, but the total is not known yet."),
    (COUNT, "The answer depends on the other group too; here are 2."),
    (COUNT, "There are two groups in all."),
    (COUNT, "In total there are at least 2."),
    (COUNT, "The answer is not 2."),
    (ONE_OF_TWO, "This is the red card, and it shows a 4."),
    (ONE_OF_TWO, "It is red or blue, the other card will tell."),
    (ONE_OF_TWO, "The answer may be red or blue."),
]


@pytest.mark.parametrize(("task", "text"), ANNOUNCED, ids=[text for _, text in ANNOUNCED])
def test_an_answer_is_announced_by_what_gives_it_as_the_whole_result(task, text):
    for leak in (announcement_in(text, task), leak_in(text, task)):
        assert leak is not None and leak.kind in LeakKind
    assert announcement_in(text, task).kind is LeakKind.ANNOUNCED


@pytest.mark.parametrize(("task", "text"), PARTS, ids=[text for _, text in PARTS])
def test_telling_what_a_part_of_the_image_shows_announces_nothing(task, text):
    assert announcement_in(text, task) is None
