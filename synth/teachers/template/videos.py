"""The grammars of the template teacher for videos and frames. Tables only; the rules of `images.py` apply.

Depends on grammars (`wording.py`); independent of plans and tasks.
"""

from synth.teachers.template.wording import Grammar

OVERVIEW = Grammar(
    (
        (
            'The question is: "{question}"',
            'I am asked: "{question}"',
            'What has to be found out: "{question}"',
            'My task reads: "{question}"',
            "I go through the whole video first.",
            "The question is about something that happens in this video.",
            "First I get an impression of the video as a whole.",
            "All frames together give an overview of the video.",
            "Before answering, I look through all the frames.",
            "I keep the question in mind while I go through the frames.",
        ),
        (
            "The overview tells me when to look; the moment itself deserves a closer look.",
            "The frames that matter deserve a view of their own.",
            "I do not want to guess from the overview.",
            "I would rather check than answer from the overview alone.",
            "To be sure, I want to see the frames that matter by themselves.",
            "I do not want to rely on a passing look at all the frames.",
            "It is better to look closely before I say anything.",
            "A closer look at the moment that matters comes first.",
            "Going through the video in passing does not replace a close look.",
        ),
        (
            "I will select frames from {moment}.",
            "Let me take a closer look at {moment}.",
            "The time to check is {moment}.",
            "It seems best to look closely at {moment}.",
            "I would like to see {moment} by itself.",
            "So I select some frames around {moment}.",
            "My attention goes to {moment}.",
            "I will look at {moment} more closely.",
            "I will select the frames that seem to matter.",
            "Some frames have to be looked at by themselves.",
        ),
    )
)

AFTER_WRONG_FRAMES = Grammar(
    (
        (
            "These frames do not show what the question is about.",
            "What I need does not happen in these frames.",
            "I selected the wrong frames.",
            "The moment in question is not among these frames.",
            "Nothing in these frames helps with the question.",
            "This is not the moment that I was looking for.",
            "These frames are from another part of the video than the one that matters.",
            "The selected frames miss what has to be seen.",
        ),
        (
            "My selection was a mistake.",
            "I should not draw a conclusion from them.",
            "It would be wrong to answer from these.",
            "I have to select again.",
            "This attempt did not help, so I correct it.",
            "It is better to go back to the overview of the video.",
            "I think again about when it happens.",
            "",
        ),
        (
            "I now select frames from {moment}.",
            "This time I look at {moment}.",
            "Let me check {moment} instead.",
            "I will try {moment}.",
            "Let me turn to {moment}.",
            "It makes more sense to look at {moment}.",
            "The next selection shows {moment}.",
            "I will try other frames.",
            "Let me look at another part of the video.",
        ),
    )
)

FRAME_THEN_CROP = Grammar(
    (
        (
            "These frames show the moment in question.",
            "What the question asks about can be seen in these frames.",
            "The selection was good.",
            "This is the moment that matters.",
            "These are the frames that I was looking for.",
            "The moment is found.",
            "Among these frames is what I need.",
        ),
        (
            "But the detail is only a small part of what they show.",
            "The decisive detail fills only a small part of the frame.",
            "Compared with the frame as a whole, the detail is small.",
            "Still, it is only a small spot in the frame.",
            "Most of the frame has nothing to do with it.",
            "To be sure, I want to see the detail by itself.",
            "The detail in the frame deserves a closer look.",
            "",
        ),
        (
            "I zoom in on {place}.",
            "Let me crop {place}.",
            "A crop of {place} should help.",
            "So I crop {place}.",
            "The next look goes to {place}.",
            "I go closer to {place}.",
            "I want a closer view of {place}.",
            "I crop the part that matters.",
            "A crop of the frame should help.",
        ),
    )
)

SEEN = Grammar(
    (
        (
            "The selected frames show it.",
            "In these frames it can be seen.",
            "Now I have seen the moment that matters.",
            "These are the frames that I had to see.",
            "These frames show what the question is about.",
            "The moment that I was looking for is among these frames.",
            "Now I have looked at what the question is about.",
            "This is the moment in question.",
        ),
        (
            "So the answer is {answer}.",
            "They settle the question: {answer}.",
            "From what is shown, the answer must be {answer}.",
            "I can say it with confidence now: {answer}.",
            "There is little doubt left: {answer}.",
            "What I find is {answer}.",
            "This tells me the answer: {answer}.",
            "The answer to the question is therefore {answer}.",
        ),
        (
            "",
            "The question is answered with that.",
            "Another look is not needed.",
            "This was worth a closer look.",
            "I did not want to answer from the overview alone.",
            "I do not have to guess any more.",
        ),
    )
)
