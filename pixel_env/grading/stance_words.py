"""The words that deny, suppose or ask for a number, or make it a label, in six languages: one table per concept.

Pure data and its patterns, for folded texts with straight apostrophes. English, German, French, Spanish ("en", "de",
"fr", "es"), and Chinese and Japanese, whose words no space separates, as alternatives of their own.
"""

import re

from pixel_env.grading.patterns import Pattern

_A_WORD = r"[^\W\d_]+"
_NO_LETTER_BEFORE = r"(?<![^\W\d_])"

# ------------------------------------------------------------------------------------------------- denied before it

NEGATIONS = {
    "en": r"not|cannot|never|no|neither|nor|nobody|no one|\w*n't|doubt\w*|unlikely|disagree\w*|den(?:y|ies|ied)|"
    r"rather than|instead of|other than|as opposed to|far from|ruled? out|excluded?|rejected?|"
    r"(?:wrong|incorrect|false|mistaken)(?: (?:answer|count|number|guess|result))?:?|"
    r"(?:initially|first|at first)(?: glance| sight)?,?|(?:any|every)thing but",
    "de": "nicht(?:, dass)?|keine?[nrms]?|weder|noch|nie|niemals|statt|anstatt|anstelle von|falsch:?",
    "fr": "pas|non|jamais|ni|plutôt que|au lieu de|faux:?",
    "es": "no|nunca|jamás|ni|tampoco|en lugar de|en vez de|falso:?",
}
"""What denies the number behind it."""

BETWEEN = {
    "en": "a an any the there it is are was were be been am to have has had i we you do does did can could will would "
    "see find count spot detect "
    "show shows contain contains really actually exactly just only even quite simply about case "
    "true correct right possible likely way chance evidence sign that answer number total of equal say said think "
    "thought believe agree with at as said be: is:",
    "de": "genau nur wirklich es sind ist gibt die das der dass insgesamt zu sehen richtig korrekt wahr ich sehe als "
    "auf dem bild im antwort anzahl mit von",
    "fr": "de du des les le la exactement vraiment il y a est sont que ce cela c'est réponse nombre vrai correct "
    "qu'il ait soit soient",
    "es": "es son hay exactamente realmente solo sólo la las los el respuesta número que creo veo se ve ven puede "
    "pueden ver correcto cierto verdad de haya hayan sea sean",
}
"""The words that may stand between a negation and the number that it denies. Any other word ends its reach."""

_NEGATED_CJK = "不是|并非|並非|不等于|没有|沒有|不可能|不会|并没有|而非|排除|不选|看不到"

DENIED_BEFORE = Pattern(
    "|".join(
        rf"{_NO_LETTER_BEFORE}(?:{negation})\s(?:(?:{'|'.join(map(re.escape, BETWEEN[language].split()))})\s){{0,8}}\Z"
        for language, negation in NEGATIONS.items()
    )
    + rf"|(?:{_NEGATED_CJK})(?:是|有|为|只有|说|看到)*\s?\Z"
)
"""At the end of what stands before a number."""

# -------------------------------------------------------------------------------------------------- denied after it

COPULAS = {
    "en": "is|are|was|were|would be|would|seems?|looks?|can|could|has to be|must be|does|do|did",
    "de": "ist|sind|wäre|wären|war|stimmt|stimmen|kann|können",
    "fr": "n'est|ne sont|est|sont|serait|semble",
    "es": "es|son|sería|está|parece",
}
WRONG = {
    "en": r"(?:not|n't)(?: (?:the|a|at all))? (?:what|correct|right|true|accurate|it|possible|plausible|supported|"
    r"enough|"
    r"answer|count|number|case|(?:correct|right) (?:answer|count|number))\b|"
    r"(?:clearly |simply |just |also |definitely |the |an? )?(?:wrong|incorrect|false|mistaken|inaccurate|untrue|"
    r"impossible|ruled out|excluded|out of (?:the )?question|too (?:many|few|high|low|much))\b",
    "de": r"(?:es )?nicht(?: (?:richtig|korrekt|möglich|wahr|die (?:richtige )?antwort))?\b(?! \w)|"
    r"nicht (?:richtig|korrekt|möglich|wahr|die (?:richtige )?antwort)|(?:die |eine )?falsch|inkorrekt|unmöglich|"
    r"ausgeschlossen|zu viele?",
    "fr": "pas (?:correct|exact|juste|vrai|possible|bon|la (?:bonne )?réponse|le bon)|faux|fausse|incorrect|erroné|"
    "impossible|exclu|inexact",
    "es": "incorrect|fals[oa]|erróne|imposible|equivocad",
}
"""What makes the number before the copula wrong."""

_ENDS_THE_SUBJECT = "and|but|the|that|who|with|so|und|et|y"
_SUBJECT = (
    r"(?:,? (?:which|but (?:that|this|it))|[.!]? (?:that|this|it)|"
    rf"(?: (?!(?:{_ENDS_THE_SUBJECT})\b){_A_WORD}){{0,3}})"
)
_IS_WRONG = "|".join(
    rf"{_NO_LETTER_BEFORE}(?:{copula}) ?(?:be )?(?:{WRONG[language]})" for language, copula in COPULAS.items()
)
_OTHER_WAYS = (
    r"\bcan(?:not| not|'t) be (?:right|correct|true)|\bdoes(?: not|n't) (?:match|fit|hold|add up)|"
    r"no (?:es|son) (?:correct|la respuesta|posible|ciert|verdad)"
)
_RETRACTED = (
    r" \((?:wrong|incorrect|false|falsch|faux|falso)\)|"
    r"[.!?,] ?(?:no|wrong|incorrect|nein|falsch|faux)(?:[,.!]|\Z)"
)
_WRONG_CHINESE = r"\S{0,8}?(?:是|都|也|が|は)?(?:错误|錯誤|错的|不对|不對|不正确|不正確|不可能|不成立)"
_ONLY_JAPANESE = r"(?!\S{0,3}しか)"  # "3匹しかいません": only three are there
_IS_NOT_JAPANESE = r"\S{0,8}?(?:では|じゃ)(?:な[いくか]|あり(?:ません|え))"
_NOT_THERE_JAPANESE = (
    r"\S{0,6}?[はもが](?:い(?:ません|ない)|あり(?:ません|えない)|存在しません|間違|誤り|不正解|違います)"
)
DENIED_AFTER = Pattern(
    rf"[)\]\"']?(?:{_SUBJECT} ?(?:{_IS_WRONG}|{_OTHER_WAYS})|{_RETRACTED}|{_WRONG_CHINESE}|"
    rf"{_ONLY_JAPANESE}(?:{_IS_NOT_JAPANESE}|{_NOT_THERE_JAPANESE}))"
)
"""At the beginning of what stands behind a number."""

# ----------------------------------------------------------------------------------------------- asked and supposed

YES = Pattern(r"\W*(?:yes|yep|correct|right|ja|oui|sí|si|是的|对|はい)\b")
"""The answer to a question that makes what it asks a statement."""
ASKS_WITHOUT_A_MARK = Pattern(r"(?:吗|呢|ですか|ますか|でしょうか|だろうか)\W*\Z")
CONDITION = Pattern(
    r"\b(?:if|unless|suppose|supposing|assuming|assume|imagine|whether|wenn|falls|angenommen|sofern|ob|s'il|supposons|"
    r"suponiendo|supongamos|si)\b|如果|假如|假设|要是|倘若|是否|もし|仮に"
)
CONDITION_BEHIND = Pattern("としたら|だったら|でしたら|なら(?!び)|であれば|かどうか")
"""Japanese conditions, which follow what is supposed."""
WOULD = Pattern(
    r"\b(?:would|could|might)\b(?! (?:say|guess|estimate|count|go|answer|put))|\b(?:würden?|wären?|hätten?|gäbe)\b|"
    r"\b\w+(?:erait|eraient|erions|urait|errait|ería|erían|aría|arían|abría|abrían)\b|"
    r"就会|就有|就是|应该|はず|でしょう|だろう"
)
"""What is said to follow from a condition, not to be so."""
MANNER_OF_SPEAKING = Pattern(
    r"\bif i (?:had|have|must|am|'m)[^,.]{0,30},?|\bif i'm not (?:mistaken|wrong),?|"
    r"\b(?:without|no|beyond) (?:a )?doubt\b|\bnot (?:counting|including)\b|\bnot sure,? but\b|"
    r"\bone (?:by one|at a time)\b"
)
"""What looks like a condition or a denial and is none."""

# ------------------------------------------------------------------------------------------------- sums, conclusions

TOTALS = Pattern(
    r"\b(?:in total|totals?|altogether|all in all|combined|insgesamt|zusammen|en tout|au total|en total|suman)\b|"
    r"总共|一共|总计|共计|合计|总数|合計|全部で"
)
"""In the clause of the sum: "one here, two there, in total 3"."""
CONCLUDES = Pattern(
    r"\b(?:so|therefore|thus|hence|daher|also|somit|donc|por (?:lo )?tanto|así que)\b|所以|因此|よって|したがって"
)
"""Before a number that follows from those before it."""

# ------------------------------------------------------------------------------------------------------------ labels

_LABELS = (
    "image picture photo photograph frame view figure fig panel page row column step crop screenshot video clip scene "
    "slide region line question turn bild foto abbildung seite zeile spalte schritt aufnahme ligne colonne étape vue "
    "cadre imagen figura página fila columna paso fotograma cuadro pregunta"
)
_LABEL = "|".join(_LABELS.split())
_JOINED = "&|and|to|or|through|und|bis|oder|et|à|ou|y|a|o|-|–"
_LIST = rf"(?:[\d.]+\s?(?:{_JOINED})\s?)*"
_LONG_LIST = rf"(?:[\d.]+\s?(?:{_JOINED}|,(?:\s(?:and|or|und|et|y))?)\s?)*"
_ARTICLE = (
    r"\b(?:this|that|the|each|every|an?|my|our|im|dem|das|dieses|diesem|la|le|el|cette|esta|este|una?|une)(?: \w+)? |"
    r"\b[ld]'"
)
_SINGULAR = rf"\s(?:number\s|no\.\s|nr\.\s|n[°º]\s|#\s?)?{_LIST}"
_PLURAL = rf"(?:s|es|er|ern|n)\s(?:numbers\s)?{_LONG_LIST}"  # "images 1, 2 and 3"; "in image 3, five dogs" is no list
LABEL_BEFORE = Pattern(rf"(?P<article>{_ARTICLE})?(?P<label>\b(?:{_LABEL}))(?:{_SINGULAR}|{_PLURAL})\Z")
LABEL_BEFORE_CJK = Pattern(rf"(?:第|图|圖|图片|图像|照片|画像|写真|フレーム|帧|步骤|ページ)\s?{_LIST}\Z")
TIMES_AFTER = Pattern(r"\s(?:times|more times)\b")
"""What is done so often, not what is counted, unless the question asks how often: "I zoom in 4 times"."""
LABEL_AFTER_CJK = Pattern(r"\s?(?:枚目|番目|つ目|匹目|人目|個目|个?号|号)")
ENDS_A_LABEL = Pattern(
    r"\s?(?:[,.:;)]|\Z)|\s(?:i|is|are|was|were|shows?|est|sont|está|es|son|sind|ist|ich|sehe|gibt|je|il|montre|se|hay|"
    r"veo|no|ne|nicht|cannot)\b"
)
"""What follows a label with an article ("in the image 3, ..."); "in this picture 3 dogs play" is none."""
ASKS_FOR_A_LABEL = r"\b(?:which|what|welche[rsmn]?|quelle?|qué|cuál)\s(?:\w+\s)?"
"""Before a label in a question whose answer it is: "In which frame ...?"."""
