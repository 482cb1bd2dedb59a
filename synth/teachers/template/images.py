"""The grammars of the template teacher for images and crops. Tables only.

Before the detail is shown, no text names an answer or counts anything: the first four grammars use neither `answer` nor
number words. If `place` would reveal an answer, alternatives without it remain.

Every sentence is true for every plan in which it can occur. So no sentence mentions sizes in pixels, legibility or
blur, which depend on the image and the dialect; sentences mention only positions and the share of a view that something
takes: a right crop is at most a quarter of its image, and at most a quarter of an over-large region.

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
            "I start with the picture as a whole.",
            "First I take in the whole picture and keep the question in mind.",
            "I look over the entire picture for what the question is about.",
            "The question is about a part of this picture.",
            "Before answering, I get an impression of the whole picture.",
            "I keep the question in mind while I look over the picture.",
        ),
        (
            "What decides the question takes up only a part of the picture.",
            "Much of what is shown here has nothing to do with the question.",
            "The overview tells me where to look; the detail deserves a view of its own.",
            "I do not want to guess from the overview.",
            "I would rather check than answer from the overview alone.",
            "To be sure, I want to see the detail by itself.",
            "It is better to look closely before I say anything.",
            "Some of it has to be looked at more closely.",
            "A first glance does not replace a close look at the detail.",
            "The detail that matters is only a part of all that is shown here.",
        ),
        (
            "I will zoom in on {place}.",
            "Let me look more closely at {place}.",
            "So I crop {place}.",
            "The place to check is {place}.",
            "A closer view of {place} should help.",
            "I would like a closer view of {place}.",
            "That is why I crop {place}.",
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
            "But it fills only a small part of this view.",
            "But the crop is too large for a close look at it.",
            "However, much else is shown beside it.",
            "Still, most of this view lies around the spot that matters.",
            "The region that I chose was too generous.",
            "Still, it takes up only a small part of the crop.",
            "But this view is too wide, with far more in it than the detail.",
            "I chose too much at once, and the detail takes up little of it.",
        ),
        (
            "I zoom in further on {place}.",
            "Let me narrow it down to {place}.",
            "A tighter crop of {place} should do.",
            "So I crop again, this time only {place}.",
            "Closer still: {place}.",
            "I need a closer look at {place}.",
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
            "I can see this part now.",
            "This crop shows the part that I chose.",
            "This crop shows its part of what I need.",
            "I take note of what this region shows.",
            "This part is settled.",
            "I can see what this region holds.",
            "This region is settled.",
            "I keep in mind what is shown here.",
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
            "Now I see the detail that decides the question.",
            "Now everything that matters has been looked at.",
            "The crop shows what I was looking for.",
            "This crop shows the detail in full.",
            "With this look the detail is in view.",
            "Here is what the question is about.",
            "Looked at closely, this tells me what I need.",
            "This is the place that I had to see.",
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
            "I did not want to answer from the overview alone.",
        ),
    )
)

COUNTED = Grammar(
    (
        (
            "Now everything that has to be counted has been looked at.",
            "With the details in view, I can count.",
            "Nothing that matters is left to look at, so I can count.",
            "What has to be counted has been shown now.",
            "Having looked closely, I go through them in turn.",
            "I have seen all that matters, so I can count.",
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
            "I did not want to count them in the overview alone.",
        ),
    )
)
