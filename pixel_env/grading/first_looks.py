"""Whether a text gives something as a first look that it then corrects: "At first it seems to be B, but it is C".

One table per concept, in six languages, for folded text with straight apostrophes. Depends on phrases; independent of
whether an option or a number is given.
"""

from pixel_env.grading.patterns import Pattern
from pixel_env.grading.phrases import Phrases, one_of

FIRST_LOOKS: Phrases = {
    "en": (
        r"at\s+(?:a\s+|the\s+|my\s+)?(?:first|initial)(?:\s+(?:glance|sight|look|view))?|initially|originally|"
        r"(?:first|initial)\s+(?:impression|guess|thought|count|answer)|on\s+(?:a\s+)?first\s+(?:look|glance|sight)"
    ),
    "zh": r"乍一?看|初看|第一眼|起初|一开始|刚开始|最初|原以为|原本|本以为",
    "ja": r"一見|最初は|最初に|初めは|はじめは|当初|ぱっと見",
    "de": r"zun[äa]chst|zuerst|anfangs|anf[äa]nglich|urspr[üu]nglich|auf\s+den\s+ersten\s+blick",
    "fr": (
        r"(?:à|de|en)\s+(?:premi[èe]re\s+vue|premier\s+abord|prime\s+abord)|au\s+(?:premier\s+\w+|d[ée]but|d[ée]part)|"
        r"d'abord|initialement"
    ),
    "es": r"a\s+(?:primera|simple)\s+vista|al\s+(?:principio|inicio)|inicialmente|en\s+un\s+principio|de\s+entrada",
}
"""What is seen or thought before the picture is looked at again."""

SEEMS: Phrases = {
    "en": r"seem(?:s|ed)?|look(?:s|ed)?|appear(?:s|ed)?|(?:may|might|could)\s+(?:be|have)|thought",
    "zh": r"看起来|看上去|看似|好像|像是",
    "ja": r"見え|思え|思われ",
    "de": r"scheint|scheinen|sieht|sehen|wirkt|dachte",
    "fr": r"semble(?:nt)?|dirait|para[îi]t|pensais|croyais",
    "es": r"parecen?|parec[íi]an?|pensé|pensaba|cre[íi]a",
}
"""How something looks."""

IN_FACT: Phrases = {
    "en": r"actually|in\s+(?:fact|reality|truth)|(?:on|upon)\s+(?:a\s+)?closer|look(?:ing)?\s+closer|a\s+closer\s+look",
    "zh": r"其实|实际上?|事实上|仔细(?:一)?看|放大后",
    "ja": r"実際|実は|よく見ると|拡大すると|本当は",
    "de": r"tats[äa]chlich|in\s+wirklichkeit|in\s+wahrheit|bei\s+genauer\w*|genauer\s+betrachtet",
    "fr": r"en\s+(?:fait|r[ée]alit[ée])|en\s+regardant|de\s+plus\s+pr[èe]s|r[ée]ellement",
    "es": r"en\s+(?:realidad|verdad)|de\s+hecho|mirando|m[áa]s\s+de\s+cerca|realmente",
}
"""Begins what a second look tells."""

TURNS: Phrases = {
    "en": r"but|however|yet|though",
    "zh": r"但|然而|不过|而",
    "ja": r"しかし|でも|ですが|ますが|ましたが|けど",
    "de": r"aber|doch|jedoch|sondern",
    "fr": r"mais|cependant|pourtant|toutefois",
    "es": r"pero|sino|sin\s+embargo",
}
"""Between a first look and a second one."""

_SAME_CLAUSE = r"\s*,?\s*[^,，、;]*"
_FIRST_BEFORE = Pattern(rf"{one_of(FIRST_LOOKS)}{_SAME_CLAUSE}\Z")
_FIRST_AFTER = Pattern(rf"[^,，.;:!?\n]{{0,40}}?{one_of(FIRST_LOOKS)}")
_SEEMS_BEFORE = Pattern(rf"{one_of(SEEMS)}{_SAME_CLAUSE}\Z")
_SEEMS_AFTER_JAPANESE = Pattern(r"\S{0,6}?(?:見え|思え|思われ)")
_TURN = Pattern(one_of(TURNS, IN_FACT))
_IN_FACT_AFTER = Pattern(rf"[^.!?\n]{{0,60}}?{one_of(IN_FACT)}|[^.!?\n]{{0,60}}?[.!]\s+(?:\w+,?\s+)?{one_of(IN_FACT)}")


def is_first_look(head: str, tail: str) -> bool:
    """Whether what stands between `head` (its sentence up to it) and `tail` (what follows) is a first look only."""
    turns = list(_TURN.finditer(head))
    head = head[turns[-1].end() :] if turns else head
    if _FIRST_BEFORE.search(head) or _FIRST_AFTER.match(tail):
        return True
    seems = _SEEMS_BEFORE.search(head) or _SEEMS_AFTER_JAPANESE.match(tail)
    return bool(seems and _IN_FACT_AFTER.match(tail))
