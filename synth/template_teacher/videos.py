"""What the template teacher says about videos and their frames. Tables only; the rules of `images.py` hold."""

from synth.template_teacher.wording import Grammar

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
            "The frames of the video are shown at a reduced size.",
        ),
        (
            "At this size the frames are too small to tell.",
            "The frames are shown too small for the detail that matters.",
            "In such small frames the decisive detail cannot be made out.",
            "The overview hints at when to look, but not at what is there.",
            "The small frames are not enough to be sure.",
            "What decides the question is too fine for these thumbnails.",
            "The thumbnails are too coarse for a reliable answer.",
            "I would have to guess from frames of this size.",
            "What matters is blurred in such small frames.",
        ),
        (
            "I will select frames from {moment}.",
            "Let me enlarge {moment}.",
            "The time to check is {moment}.",
            "It seems best to look closely at {moment}.",
            "I would like to see {moment} in more detail.",
            "So I select some frames around {moment}.",
            "My attention goes to {moment}.",
            "I will look at {moment} more closely.",
            "I will select the frames that seem to matter.",
            "Some frames have to be seen larger.",
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
            "But the detail is small even in the enlarged frame.",
            "The decisive detail fills only a small part of the frame.",
            "Even so, the detail itself remains small.",
            "Still, it is only a small spot in the frame.",
            "The frame as a whole shows the detail too small to be certain.",
            "To be sure, I want to see the detail larger.",
            "The detail in the frame deserves a closer look.",
            "",
        ),
        (
            "I zoom in on {place}.",
            "Let me crop {place}.",
            "A crop of {place} should help.",
            "So I magnify {place}.",
            "The next look goes to {place}.",
            "I go closer to {place}.",
            "I want to see {place} enlarged.",
            "I crop the part that matters.",
            "A crop of the frame should help.",
        ),
    )
)

SEEN = Grammar(
    (
        (
            "The enlarged frames show it clearly.",
            "In these frames it can be seen well.",
            "Now the moment can be seen in detail.",
            "At this size the frames are easy to read.",
            "These frames show what the question is about.",
            "The selected frames are sharp enough to tell.",
            "Seen larger, the frames are clear.",
            "This is the moment in question, and it is large enough now.",
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
            "From the small frames alone I could not have told.",
            "That fits the course of the video.",
        ),
    )
)
