"""Honest texts of many wordings, written by hand as an expert would write them: none may be taken for a lie.

Each is (task, texts of the turns): the first text announces the first look, the last one ends the trace. The looks are
those of `LOOKS`, which a task names.
"""

import dataclasses

from agents.traces.trace import Mistake
from pixel_env.boxes import Box
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Evidence
from pixel_env.testing import tiny_task, tiny_video_task

CARD = Box(0.55, 0.6, 0.75, 0.8)
EVIDENCE = (Evidence(0, CARD),)
RIGHT = (CropImage(0, CARD), None)
ASIDE = (CropImage(0, Box(0.05, 0.05, 0.25, 0.25)), Mistake.UNRELATED_REGION)
ABOVE = (CropImage(0, Box(0.7, 0.0, 0.95, 0.2)), Mistake.UNRELATED_REGION)
WIDE = (CropImage(0, Box(0.4, 0.4, 1.0, 1.0)), Mistake.OVERSIZED_REGION)
EARLY, LATE = (SelectFrames((1, 2)), Mistake.WRONG_FRAMES), (SelectFrames((12, 13)), None)

DIGIT = tiny_task("digit", question="Which digit is on the red card?", answers=("7",), evidence=EVIDENCE)
ZERO = tiny_task("zero", question="How many dogs are on the beach?", answers=("0",), grader="number", evidence=EVIDENCE)
COUNT = tiny_task(
    "count", question="How many cups stand on the table?", answers=("5",), grader="number", evidence=EVIDENCE
)
GLOVE = tiny_task(
    "glove",
    question="What is the material of the glove?",
    options=("rubber", "cotton", "kevlar", "leather"),
    answers=("D",),
    grader="choice",
    evidence=EVIDENCE,
)
SIGN = tiny_task(
    "sign", question="What is written on the sign?", answers=("Harbour",), grader="anls", evidence=EVIDENCE
)
PRICE = tiny_task("price", question="What does the coffee cost?", answers=("3.50",), grader="anls", evidence=EVIDENCE)
CLIP = dataclasses.replace(tiny_video_task(question="Which digit is shown?"), frames_per_second=0.5)
CLIP_EVIDENCE = (Evidence(12, CARD), Evidence(13, CARD))

HONEST = [
    (
        DIGIT,
        [RIGHT],
        "A street with a card beside a car; I zoom in on the lower right.",
        "The card is in view, it is a 7.",
    ),
    (DIGIT, [RIGHT], "The card lies to the left of a tree. I crop the card.", "I read a 7 on it, so the answer is 7."),
    (
        DIGIT,
        [RIGHT],
        "Let me look at the middle right of the photo, below the roof.",
        "In the crop the digit is a clear 7.",
    ),
    (
        DIGIT,
        [RIGHT],
        "I cannot read the digit from here, so I zoom in.",
        "From the overview I could not read it; now it is 7.",
    ),
    (
        DIGIT,
        [RIGHT],
        "It is too small to read here. I crop the part right of the centre.",
        "I no longer have to guess: a 7.",
    ),
    (
        DIGIT,
        [RIGHT],
        "Two people walk by on the left. I look closer at the card.",
        "At first it looked like a 1, but it is a 7.",
    ),
    (
        DIGIT,
        [RIGHT],
        "A red card leans on a wall; let me enlarge it.",
        "It is not a 1, since it has a bar on top. So it is 7.",
    ),
    (
        DIGIT,
        [RIGHT],
        "Left of the bus there is a card. I will crop it.",
        "One might take it for a 1, but the bar makes it a 7.",
    ),
    (
        DIGIT,
        [RIGHT],
        "I zoom in to be sure.",
        "The blue card beside it shows a 4; the red one shows a 7. The answer is 7.",
    ),
    (DIGIT, [RIGHT], "The card is in the lower part, so I crop there.", "The digit can be read without doubt: seven."),
    (
        DIGIT,
        [RIGHT],
        "I need a closer view of the lower right quarter.",
        "I can see two cards now. The red one shows a 7.",
    ),
    (
        DIGIT,
        [RIGHT],
        "There is a red card near the bottom. Let me crop that area.",
        "Without zooming in I could not have read the 7.",
    ),
    (
        DIGIT,
        [RIGHT],
        "A glance is not enough, so I look closer at the card.",
        "Both strokes of the digit are sharp: it is a 7.",
    ),
    (DIGIT, [RIGHT], "I should check the card before I answer.", "A second look is not needed: the card shows a 7."),
    (
        DIGIT,
        [ASIDE, RIGHT],
        "I try the upper left first.",
        "Only a roof is here, no card. I now look at the lower right.",
        "This time the card is there, with a 7 on it.",
    ),
    (
        DIGIT,
        [ASIDE, RIGHT],
        "I crop the top left corner.",
        "This is just the sky above the roof. I turn to the right side.",
        "My first crop missed the card; this one shows it, and it reads 7.",
    ),
    (
        DIGIT,
        [ASIDE, RIGHT],
        "Perhaps it is at the left.",
        "A perfectly blue sky, but not what I need. I go on to the lower part.",
        "Here it is: the card with a 7. The first crop was in the wrong place.",
    ),
    (
        DIGIT,
        [ASIDE, ABOVE, RIGHT],
        "I begin with the top left.",
        "It holds a chimney, which does not help. Next the top right.",
        "Again nothing of use. I now zoom in on the lower right.",
        "The third crop shows it: a 7.",
    ),
    (
        DIGIT,
        [ASIDE, RIGHT],
        "Let me see the left edge.",
        "I can read a street name here, but the card is elsewhere.",
        "After two crops I have it: the digit is 7.",
    ),
    (
        DIGIT,
        [WIDE, RIGHT],
        "I crop the lower right.",
        "The card is somewhere in here, still too small to read. I go closer.",
        "Close enough now to read it: 7.",
    ),
    (
        DIGIT,
        [WIDE, RIGHT],
        "The right half looks promising.",
        "The area is right, but I chose too much of it. I narrow it down.",
        "The digit fills the view now, it is a 7.",
    ),
    (
        DIGIT,
        [WIDE, RIGHT],
        "I crop around the card.",
        "I can see the card, though it takes up only a corner of this crop.",
        "Now the digit is legible, a 7.",
    ),
    (
        ZERO,
        [RIGHT],
        "A wide beach under the sun. I look closer at the shore.",
        "I cannot see any dog here, so the count is 0.",
    ),
    (ZERO, [RIGHT], "Let me check the shore.", "There are two people and a boat, but no dogs: 0."),
    (ZERO, [RIGHT], "The lower right may hold something.", "What looks like a dog is a rock. None is there, so 0."),
    (
        COUNT,
        [RIGHT],
        "A table with cups and plates. I crop the table.",
        "I count 3 white cups and 2 blue ones, so 5 cups.",
    ),
    (
        COUNT,
        [RIGHT],
        "I zoom in on the table to count.",
        "One by one: 1, 2, 3, 4, 5. There are five cups, and 4 plates.",
    ),
    (
        COUNT,
        [RIGHT],
        "Let me take a closer look at the table.",
        "I see 12 things on it, of which 5 are cups. The answer is 5.",
    ),
    (COUNT, [RIGHT], "The table is on the right.", "3 + 2 = 5, so five cups stand there."),
    (COUNT, [RIGHT], "I crop the table.", "Two in front, two behind and one at the edge. That makes 5."),
    (
        GLOVE,
        [RIGHT],
        "A hand holds a tool; I zoom in on the hand.",
        "The surface is grainy and shiny. That is leather, (D).",
    ),
    (
        GLOVE,
        [RIGHT],
        "I look closer at the glove.",
        "It is not rubber: there are seams. Cotton would be softer. So D, leather.",
    ),
    (
        GLOVE,
        [RIGHT],
        "I want to see the glove.",
        "Option A is wrong, as rubber has no pores. The answer is (D) leather.",
    ),
    (
        GLOVE,
        [RIGHT],
        "I crop the hand.",
        "At first glance it seems to be cotton, but the grain says leather. D is correct.",
    ),
    (SIGN, [RIGHT], "A sign stands near the quay. Let me zoom in.", 'The sign reads "Harbour" in white letters.'),
    (
        SIGN,
        [RIGHT],
        "There is a sign on the lower right. I crop it.",
        'Below a logo that says "Port" it reads "Harbour".',
    ),
    (SIGN, [RIGHT], "I go closer to the sign.", "The last letters are faint, but the word is Harbour."),
    (
        PRICE,
        [RIGHT],
        "A menu hangs on the wall. I crop its lower part.",
        "Tea is 2.80, and the row below says coffee 3.50.",
    ),
    (PRICE, [RIGHT], "I need a closer look at the menu on the right.", "In row 3 I read 3.50 beside the coffee."),
    (
        CLIP,
        [LATE],
        "A man walks to a wall. I select the frames near the end.",
        "In these frames he turns the card: a 7.",
    ),
    (CLIP, [LATE], "It must happen late, around 0:25. Let me look at these frames.", "The card shows a 7 now."),
    (CLIP, [LATE], "I select frames 13 and 14.", "Now the card faces the camera, and it is a 7."),
    (
        CLIP,
        [EARLY, LATE],
        "I select frames from the beginning.",
        "He has not arrived yet. I now pick the last third.",
        "The first selection was too early; here the card shows a 7.",
    ),
]
