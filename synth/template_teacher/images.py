"""What the template teacher says about pictures and crops. Tables only.

Before the detail is shown no text names an answer or counts anything: the first four grammars are said without
`answer`, and without number words. Where `place` would give an answer away, alternatives without it remain.
"""

from synth.template_teacher.wording import Grammar

OVERVIEW = Grammar(
    (
        (
            'The question is: "{question}"',
            'I am asked: "{question}"',
            'What has to be found out: "{question}"',
            'My task reads: "{question}"',
            "I start with the picture as a whole.",
            "First I take in the whole picture and keep the question in mind.",
            "I look over the entire picture for what the question is about.",
            "The question is about a small detail of this picture.",
            "Before answering, I get an impression of the whole picture.",
            "The whole picture is shown at a reduced size.",
        ),
        (
            "At this size the detail that matters is too small to make out.",
            "What decides the question is only a few pixels large here.",
            "From this distance it cannot be made out with certainty.",
            "The overview hints at where to look, but not at what is there.",
            "It is too small in this view to be read reliably.",
            "In the overview the decisive part is blurred.",
            "This view is too coarse to tell.",
            "The details that would settle it are too fine for this scale.",
            "Everything that would settle it is tiny at this scale.",
            "Guessing from the overview would be careless, since the detail is so small.",
        ),
        (
            "I will zoom in on {place}.",
            "Let me look more closely at {place}.",
            "So I crop {place}.",
            "The place to check is {place}.",
            "A closer view of {place} should help.",
            "I would like to see {place} enlarged.",
            "That is why I magnify {place}.",
            "My first look goes to {place}.",
            "I will zoom in to be sure.",
            "A closer view is needed, so I crop the region that seems to matter.",
        ),
    )
)

AFTER_UNRELATED = Grammar(
    (
        (
            "This region does not show what I am looking for.",
            "What the question asks about is not in this crop.",
            "This crop missed the detail in question.",
            "Nothing in this crop helps with the question.",
            "I was looking in the wrong place.",
            "The part that I need is not here.",
            "This turns out to be an unrelated part of the picture.",
            "This crop does not contain the relevant detail.",
            "Looking at this crop, I do not find what the question is about.",
        ),
        (
            "My choice of region was a mistake.",
            "I should not draw a conclusion from it.",
            "It would be wrong to answer from this.",
            "This attempt did not help, so I correct it.",
            "I have to choose another region.",
            "It is better to go back to the whole picture and choose again.",
            "I return to the overview and think again about where to look.",
            "To stay here would lead nowhere.",
            "",
        ),
        (
            "Next I look at {place}.",
            "I will try {place} instead.",
            "Let me check {place}.",
            "This time I zoom in on {place}.",
            "It makes more sense to look at {place}.",
            "I now crop {place}.",
            "A better candidate is {place}.",
            "Let me turn to {place}.",
            "I will try another region.",
            "Let me look elsewhere.",
        ),
    )
)

AFTER_OVERSIZED = Grammar(
    (
        (
            "What I need is somewhere in this crop.",
            "The detail lies within this crop.",
            "This crop contains the place in question.",
            "The relevant spot lies inside this region.",
            "The area is the one that I wanted.",
            "This covers the spot that I am after.",
            "The crop holds what I was looking for.",
            "The direction is good so far.",
        ),
        (
            "It is still too small to make out.",
            "But the crop is too large, so the detail stays tiny.",
            "However, so much else is shown that it cannot be read.",
            "At this magnification it remains unclear.",
            "The region that I chose was too generous to show the detail.",
            "Still, the scale is too coarse to be sure.",
            "But it fills only a small part of this view.",
            "I cannot read it yet, because the crop is too wide.",
        ),
        (
            "I zoom in further on {place}.",
            "Let me narrow it down to {place}.",
            "A tighter crop of {place} should do.",
            "So I crop again, this time only {place}.",
            "Closer still: {place}.",
            "I need to magnify {place}.",
            "The next crop is tighter and shows {place}.",
            "Let me go closer to {place}.",
            "I zoom in further.",
            "A tighter crop should show it.",
        ),
    )
)

NEXT_CUE = Grammar(
    (
        (
            "This part can be seen clearly now.",
            "Here the details are large enough.",
            "This crop shows its part of what I need.",
            "I take note of what this region shows.",
            "That is clear enough for this region.",
            "I can make out this part well.",
            "This region is settled.",
            "I keep in mind what is visible here.",
        ),
        (
            "The question concerns another part of the picture as well.",
            "But this is not all that the question is about.",
            "More of the picture has to be checked before I answer.",
            "For a complete answer I have to look at another place too.",
            "Something that matters lies elsewhere in the picture.",
            "I should not answer before I have seen the rest.",
            "There is more to look at.",
            "",
        ),
        (
            "Next I look at {place}.",
            "Let me also check {place}.",
            "I continue with {place}.",
            "Now I zoom in on {place}.",
            "The next crop shows {place}.",
            "What remains is {place}.",
            "I move on to {place}.",
            "I crop the next region.",
            "Let me look at what remains.",
        ),
    )
)

SEEN = Grammar(
    (
        (
            "Now the detail can be seen clearly.",
            "At this scale it is easy to read.",
            "The crop shows what I was looking for.",
            "This close-up shows the detail in full.",
            "In this view everything that matters is visible.",
            "Here it is large enough to be read.",
            "Enlarged like this, the detail is plain.",
            "This is the place, and it is sharp enough now.",
        ),
        (
            "So the answer is {answer}.",
            "It settles the question: {answer}.",
            "From what is shown, the answer must be {answer}.",
            "I can say it with confidence now: {answer}.",
            "The close-up leaves little doubt: {answer}.",
            "What I find is {answer}.",
            "This tells me the answer: {answer}.",
            "The answer to the question is therefore {answer}.",
        ),
        (
            "",
            "The question is answered with that.",
            "Another look is not needed.",
            "I do not have to guess any more.",
            "This was worth a closer look.",
            "From the overview alone I could not have told.",
        ),
    )
)

COUNTED = Grammar(
    (
        (
            "Now everything that has to be counted is large enough to be seen.",
            "With the details enlarged, I can count.",
            "At this scale each of them can be told apart.",
            "What has to be counted is visible now.",
            "Having looked closely, I go through them in turn.",
            "Nothing that matters is too small any more, so I can count.",
            "I check each candidate against what the question asks.",
            "Each of them can be examined now.",
        ),
        (
            "The total is {answer}.",
            "I count {answer}.",
            "That makes {answer} in all.",
            "The number that fits the question is {answer}.",
            "Counting those that fit gives {answer}.",
            "So the answer is {answer}.",
            "In total I arrive at {answer}.",
            "The count comes to {answer}.",
        ),
        (
            "",
            "The question is answered with that.",
            "I have left nothing out.",
            "Another look is not needed.",
            "This was worth a closer look.",
            "From the overview alone I could not have counted them.",
        ),
    )
)
