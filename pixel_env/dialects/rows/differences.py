"""Why a row of ours does something else than the public code that it follows: reasons that rows share.

Depends on nothing.
"""

STRICT_JSON = "a call is strict JSON; theirs also reads what Python, JSON5 or a pattern reads, or shows the whole image"
UNCLOSED = "a call without its closing mark is told to the model; theirs ends the episode, executes it or ignores it"
TOLD = "the mistake is told to the model; theirs ends the episode, says nothing or shows the whole image"
DRAFT = "a call or an answer in a finished thought is a draft and is neither"
CALL_WINS = "a call wins over an answer in the same turn; theirs ends the episode with the answer"
TAIL = "text after a call is ignored; theirs takes the turn for the answer"
FINITE = "the numbers of a box are finite; theirs follows Python's comparisons with NaN and infinity"
NAMED = "a call names its tool; theirs does not look at the name"
NEGATIVE = "images are numbered from the first; theirs counts negative numbers from the end and cuts off fractions"
PATTERN = "the order of keys, blanks and line breaks do not matter; theirs is a pattern that wants one spelling"
LABEL = "a label can be left out, because nothing reads it"
CORNER = "a fraction box may touch the border, and overhang it by 2 %; theirs takes it for pixels and cuts a corner"
FOUR = "a box has four numbers; theirs ignores the fifth"
OPENING = "a turn without the opening mark is no call; theirs fails on it"
BOOLEANS = "true and false are no numbers"
KEY = "the box has one key"
NOISE = "edges are free of the noise of floating point, which moves theirs by one pixel"
DIGITS = "digits may be written as texts everywhere; theirs reads them as an image's number alone"
OUTSIDE = "a window that shows at most one pixel is refused"
