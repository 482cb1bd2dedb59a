r"""The words by which answers announce, conclude, deny, suppose and ask, in six languages: one table per concept.

Each value is a regular expression for folded text (`pixel_env.grading.answers.folded`: lower case, "ß" as "ss"), with
"'" for every apostrophe. A language is added by a line in each table; a wording by one more alternative. Depends on
nothing; independent of options and tasks.
"""

from collections.abc import Mapping

Phrases = Mapping[str, str]
"""By language: alternatives of a regular expression."""

_UNSPACED = frozenset({"zh", "ja"})


def one_of(*tables: Phrases) -> str:
    """A group that matches any phrase of the tables; in languages that separate words, whole words only."""
    return "(?:" + "|".join(_bounded(language, words) for table in tables for language, words in table.items()) + ")"


def opening(table: Phrases) -> str:
    """A group that matches a phrase of the table where a word begins; the phrase says itself where it ends."""
    starts = {language: "" if language in _UNSPACED else r"(?<![\w'])" for language in table}
    return "(?:" + "|".join(f"{starts[language]}(?:{words})" for language, words in table.items()) + ")"


def _bounded(language: str, words: str) -> str:
    if language in _UNSPACED:
        return f"(?:{words})"
    before = r"(?<!\w)" if language == "fr" else r"(?<![\w'])"  # "j'opte"
    return rf"{before}(?:{words})(?!\w)"


_ANNOUNCED = {
    "en": (
        r"(?:(?:the|my|your)\s+)?(?:(?:final|correct|right|best|closest|most\s+\w+|only\s+\w+|remaining|"
        r"matching)\s+){0,3}(?:answer|option|choice|match|fit)"
    ),
    "de": r"(?:(?:die|meine)\s+)?(?:(?:richtige|korrekte|beste|endgültige|finale)\s+){0,2}(?:antwort|lösung|option)",
    "fr": r"(?:(?:la|ma)\s+)?(?:(?:bonne|meilleure)\s+)?(?:r[ée]ponse|option)(?:\s+(?:correcte|finale|exacte))?",
    "es": r"(?:(?:la|mi)\s+)?(?:respuesta|opci[óo]n)(?:\s+(?:correcta|final|es))?",
}
LEAD_INS: Phrases = {
    "en": (
        rf"(?<!each )(?<!every )(?<!following ){_ANNOUNCED['en']}\s*(?:['’]s\b|(?:is|must\s+be|would\s+be|"
        rf"should\s+be)\b|[:=])\s*:?\s*|"
        r"(?:the\s+)?(?:correct|right|best)\s+(?:answer|option|choice)\b(?:\s+is\b)?\s*:?\s*"
    ),
    "zh": (
        r"(?:正确|最终|最后)?(?:的)?(?:答案|回答)(?:应该是|应该为|应是|应为|是|为|[:：])\s*[:：]?\s*|"
        r"(?:正确|最佳)(?:选项|答案)是?\s*|"
        r"最(?:合适|恰当|符合|接近|准确|可能|好)\w{0,4}?(?:选项|答案)?(?:是|为|[:：])\s*"
    ),
    "ja": (
        r"(?:(?:最も|一番)\w{1,8}?(?:の|もの|選択肢)|正解|(?:正しい|最終的な|最終)?(?:答え|回答|解答|選択肢))(?:は|[:：])"
        r"\s*[:：]?\s*"
    ),
    "de": (
        rf"{_ANNOUNCED['de']}\s*(?:(?:ist|lautet|wäre)\b|:)\s*:?\s*|(?:die\s+)?(?:richtige|beste)\s+(?:antwort|"
        rf"option)\s*"
    ),
    "fr": (
        rf"{_ANNOUNCED['fr']}\s*(?:(?:est|serait)\b|:)\s*:?\s*|(?:la\s+)?(?:bonne|meilleure)\s+(?:r[ée]ponse|"
        rf"option)\s*"
    ),
    "es": (
        rf"{_ANNOUNCED['es']}\s*(?:(?:es|ser[íi]a)\b|:)\s*:?\s*|(?:la\s+)?(?:mejor\s+opci[óo]n|"
        rf"respuesta\s+correcta)\s*"
    ),
}
"""Announce an answer, the words that join it included."""

FINAL: Phrases = {
    "en": r"final(?:ly)?",
    "zh": r"最终|最后",
    "ja": r"最終",
    "de": r"endgültige|finale|abschliessend|schlussendlich",
    "fr": r"finale|finalement|en\s+conclusion",
    "es": r"final|finalmente|en\s+conclusi[óo]n",
}
"""Beside the announcement of an answer: this is the last word."""

CONCLUDES: Phrases = {
    "en": (
        r"so(?!\s+(?:is|are|does|do)\b)|therefore|thus|hence|consequently|accordingly|(?:leaving|leaves?|"
        r"left)(?:\s+(?:us|me|you|only))?(?:\s+with)?|remains|must\s+be|has\s+to\s+be|"
        r"conclude|conclusion|concluding|(?<!anything )(?<!everything )(?<!all )(?<!option )(?<!choice )but|"
        r"rather|prefer|"
        r"(?:consistent|agrees?|compatible)\s+with|supports?|indicates?|suggests?|(?:i(?:'d|'ll|\s+would|"
        r"\s+will)?\s+)?(?:choose|pick|select|"
        r"opt\s+for|go\s+(?:with|for)|settle[sd]?\s+(?:on|for)|vote\s+for)|going\s+with|chose|picked|selected|"
        r"chosen|(?:answer|respond|reply)\s+with|arriv\w+\s+at|favou?rs?|lean\w*\s+towards?|land\w*\s+on|"
        r"in\s+line\s+with|"
        r"align\w*\s+with|described\s+by|identif\w+\s+(?:it\s+)?as|determin\w+\s+(?:that\s+)?(?:it\s+is|it's)|"
        r"decid\w+\s+(?:on|for)|(?:seems|looks)\s+like|"
        r"choosing|leads?\s+(?:me\s+|us\s+)?to|points?\s+to|corresponds?\s+to|narrows\s+it\s+down\s+to"
    ),
    "zh": r"所以|因此|故|于是|综上|综合|由此|只剩下?|剩下|选择?|对应|支持|指向|而是|应为|应是|应该是|那么",
    "ja": r"よって|したがって|ゆえに|従って|つまり|だから|なので|残るのは|結論は|以上より",
    "de": (
        r"also|daher|deshalb|somit|folglich|demnach|bleibt|sondern|muss|w[äa]hle|"
        r"entscheide\s+(?:ich\s+)?mich\s+f[üu]r|spr[ie]cht\s+f[üu]r|(?:w[äa]hle|nehme)\s+ich|tippe\s+ich\s+auf|nehme|"
        r"tippe\s+auf|handelt\s+sich\s+um"
    ),
    "fr": (
        r"donc|ainsi|par\s+cons[ée]quent|reste|mais|plut[ôo]t|choisis|s[ée]lectionne|opte\s+pour|conclus|"
        r"choisi|r[ée]pondrais|dirais|laisse|s'agit\s+de|doit\s+[êe]tre|c'est\s+donc"
    ),
    "es": (
        r"por\s+(?:lo\s+)?tanto|por\s+consiguiente|as[íi]\s+que|entonces|luego|queda|sino|pero|elijo|escojo|selecciono|"
        r"opto\s+por|concluyo|debe\s+ser|me\s+quedo\s+con"
    ),
}
"""Before an option: it follows, it is left over, it is chosen."""

NAMES: Phrases = {
    "en": (
        r"(?:it|this|that|he|she|they|which)'s|(?<!there )(?:is|are|was)|be|being|options?|choices?|answers?|"
        r"alternatives?|"
        r"(?:correct|right|best|corresponding|final|answer|option|choice)\s+letter|think|thinks|say|guess|"
        r"believe|suspect|"
        r"seems|suppose|assume|imagine|presume|get|gives|obtain|that|makes|makes\s+it|means|shows?|yes|no|"
        r"clearly|definitely|probably|likely"
    ),
    "zh": r"选项|答案|是|(?<!因)为|选|应|即",
    "ja": r"選択肢|答え|正解|は|オプション",
    "de": r"w[üu]rde|ist|sind|lautet|antwort(?:en)?|option(?:en)?|wahl|l[öo]sung|glaube|denke|sage|w[äa]re|dass",
    "fr": r"est|sont|c'est|r[ée]ponses?|options?|l'option|la\s+r[ée]ponse|choix|pense|crois|dis|que\s+c'est|serait",
    "es": r"es|son|respuestas?|opci[óo]n(?:es)?|alternativas?|creo|pienso|digo|dir[íi]a|ser[íi]a|que",
}
"""Directly before a letter: the letter is an option's."""

FILLERS: Phrases = {
    "en": (
        r"the|then|just|only|simply|probably|likely|most|clearly|definitely|certainly|obviously|surely|that|and|or|"
        r"also|yes|well|ok|okay|indeed|my|either|option|choice|answer|alternative|response|to|be|it|is|it's|with|on|"
        r"for|now|both|but|perhaps|maybe|possibly|presumably|hmm|ah|like|so|since|because|while|whereas|as|"
        r"although|though|however|to\s+be|actually|really|in\s+fact|in\s+reality"
    ),
    "zh": r"选项|答案|应该|可能|显然|只能|只有|其实|实际上|确实|就|的|是|为|和|与|其中|选|选择|因为|而|但|因此|所以",
    "ja": r"選択肢|おそらく|たぶん|明らかに|つまり|しかし|また|そして|なぜなら|は|が|の",
    "de": (
        r"zweifellos|sicher|bestimmt|vermutlich|nat[üu]rlich|die|das|der|option|antwort|nur|wohl|"
        r"wahrscheinlich|eindeutig|klar|dann|und|dass|weil|denn|auch|noch|nun|ja|es|aber|doch|tats[äa]chlich|"
        r"in\s+wirklichkeit|eigentlich"
    ),
    "fr": (
        r"certainement|s[ûu]rement|[ée]videmment|peut-[êe]tre|seule?s?|la|le|l'option|l'|option|r[ée]ponse|"
        r"seulement|probablement|clairement|alors|et|que|aussi|bien|oui|en\s+(?:fait|r[ée]alit[ée])|vraiment"
    ),
    "es": (
        r"seguramente|quiz[áa]s?|evidentemente|obviamente|la|el|opci[óo]n|respuesta|solo|s[óo]lo|"
        r"probablemente|claramente|entonces|y|que|porque|tambi[ée]n|s[íi]|en\s+realidad|realmente"
    ),
}
"""Between such a word and the option, or before an option that stands alone: they change nothing."""

LETTERED: Phrases = {
    "en": (
        r"letters?|vitamins?|plan|grade|type|note|key|gate|row|seat|platform|section|building|room|exit|"
        r"terminal|size|cup|"
        r"class|point|group|hepatitis|team|block|fig|figure|panel|part|appendix|tier|chord|blood|wing|zone|"
        r"lot|bus|line|"
        r"level|logo|sign|plate|initials?|character|image|picture|photo|column|cell|road|route|step|case|item|subplot|"
        r"label|symbol|variable|set|circle|box|side|mark|rating|score|tag"
    ),
    "zh": r"字母|维生素|型|座|级|组|计划|出口|班|区|号|图|等级|字样|血型|大写|点",
    "ja": r"文字|ビタミン|型|プラン|組|クラス|出口|班|図|号|アルファベット|ランク|点",
    "de": r"buchstaben?|vitamin|plan|note|typ|gleis|reihe|gruppe|klasse|bild|punkt|blutgruppe|figur|abbildung",
    "fr": r"lettres?|vitamine|plan|groupe|type|note|quai|classe|figure|image|point|sanguin",
    "es": r"letras?|vitamina|plan|grupo|tipo|nota|clase|figura|imagen|punto|sangu[íi]neo",
}
"""Things that a letter names: "Vitamin D", "The letter is B"."""

REPORTS: Phrases = {
    "en": r"says|reads?|written|printed|shows?|displays?|spells?|labell?ed|marked|called|named|wearing|has|have|see",
    "zh": r"写着|写有|印着|印有|标着|标有|显示|(?<![只没])有",
    "ja": r"書かれ|表示|印刷",
    "de": r"steht|liest|heisst|zeigt|geschrieben|hat|sehe",
    "fr": r"dit|lit|[ée]crit|indique|affiche|montre|porte|vois",
    "es": r"dice|lee|escrit[ao]|indica|muestra|tiene|veo",
}
"""Before a letter that stands in the image."""

ABSTAINS: Phrases = {
    "en": (
        r"(?:i|we)\s+(?:cannot|can't|am\s+(?:not\s+sure|unable)|do\s+not|don't|have\s+no)|unable|unclear|unknown|"
        r"(?:cannot|can't)\s+(?:tell|say|see|determine|answer|be\s+determined)|not\s+sure"
    ),
    "zh": r"我?(?:无法|不知道|不确定|看不)",
    "ja": r"わかりません|分かりません|判断できません",
    "de": r"(?:das\s+)?(?:kann\s+ich\s+nicht|ich\s+(?:kann|weiss)|unklar)",
    "fr": r"(?:je\s+ne|impossible)",
    "es": r"(?:no\s+(?:puedo|s[ée]|se)|imposible)",
}
"""Begins an answer that names nothing."""

RETRACTS: Phrases = {
    "en": (
        r"wait|actually|correction|sorry|i\s+mean|or\s+rather|on\s+second\s+thought|scratch\s+that|no(?=\s*[,.:;!—–-])|"
        r"no\s+(?:it|its|it's|the\s+answer)"
    ),
    "zh": r"等等|更正|抱歉|其实|实际上|不对",
    "ja": r"いや|訂正|すみません|実際は|待って",
    "de": r"moment|korrektur|eigentlich|entschuldigung|nein",
    "fr": r"attendez|en\s+fait|correction|pardon|non",
    "es": r"espera|en\s+realidad|correcci[óo]n|perd[óo]n",
}
"""Takes back what was said."""

JOINS_CLAUSES: Phrases = {
    "en": (
        r"(?<!anything )(?<!everything )(?<!all )(?<!option )(?<!choice )but|however|so(?!\s+(?:is|are|does|"
        r"do)\b)|therefore|thus|hence|consequently|because|since|as|whereas|while|although|though|leaving|"
        r"which|then|explanation|reason|reasoning|due|and\s+(?=(?:so|therefore|thus|hence|the|it|that|this|i|"
        r"not|only|is)\b)"
    ),
    "zh": r"但是?|而是?|所以|因此|故|因为|那么|于是|剩下|只剩",
    "ja": r"よって|したがって|しかし|なぜなら|なので|ので|ため",
    "de": (
        r"(?<!es )(?<!ist )aber|sondern|also|daher|deshalb|somit|folglich|denn|weil|jedoch|da|"
        r"und\s+(?=(?:daher|somit|also|"
        r"nicht|die|es)\b)"
    ),
    "fr": (
        r"mais|donc|car(?=\s+(?:il|elle|on|les?|la|l'\w+|c'est|[a-z])\s)|parce\s+que|puisque|cependant|"
        r"il\s+reste|et\s+(?=(?:donc|non|pas|la|il)\b)"
    ),
    "es": r"pero|sino|porque|as[íi]\s+que|por\s+(?:lo\s+)?tanto|ya\s+que|entonces|y\s+(?=(?:no|por|la|as[íi])\b)",
}
"""Begins a clause of its own: what is denied before it is not denied behind it."""

JOINS_OPTIONS: Phrases = {
    "en": r"or|and|nor|then|maybe|perhaps|possibly|even|either|both|options?|choices?|to",
    "zh": r"和|或者?|及|与|还是|跟|、",
    "ja": r"と|または|か|もしくは|および|や",
    "de": r"oder|und|noch",
    "fr": r"ou|et|ni",
    "es": r"[oyue]|ni",
}
"""Between two options of one list."""

FOLLOWS: Phrases = {
    "en": (
        r"because|since|as|and|or|but|is|are|was|which|that|with|where|rather\s+than|not|instead|for|due|in|on|at|"
        r"from|based|given|"
        r"according|the|so|if|by|also|too|it|i|to|than|here|though|would|could|cannot|does|"
        r"when|after|before|whereas|over|under|unlike|[a-z]+n't"
    ),
    "zh": r"[\u3400-\u9fff]",
    "ja": r"[\u3040-\u30ff]",
    "de": (
        r"ist|sind|w[äa]re|weil|da|denn|und|oder|aber|nicht|kann|mit|in|auf|aus|am|passt|scheidet|der|das|"
        r"richtig|korrekt|falsch|sein|w[äa]hlen|sagen|nehmen|[üu]brig"
    ),
    "fr": (
        r"est|car(?=\s+(?:il|elle|on|les?|la|l'\w+|c'est|[a-z])\s)|parce|puisque|et|ou|mais|ne|n'\w+|avec|"
        r"dans|sur|la|le|les|qui|peut|correspond|convient|comme"
    ),
    "es": r"es|porque|ya|pues|o|y|pero|no|en|la|el|los|que|se|puede|queda|coincide|debido",
}
"""Behind a letter: the letter stands for an option, and not for an article or a part of a name."""

FUNCTION_WORDS: Phrases = {
    "en": (
        r"the|an?|is|are|was|it|its|this|that|there|in|on|at|of|to|and|or|not|no|by|for|from|with|i|he|she|they|be|as|"
        r"has|have|does|do|can|than|then|so|both|all|which|what"
    ),
    "zh": r"[的是在了我不有一个这那它和上下]",
    "ja": r"[はがをにのでともかなだ]|です|ます",
    "de": r"der|die|das|ein\w*|ist|sind|es|in|auf|an|von|zu|und|oder|nicht|mit|ich|er|sie",
    "fr": r"le|la|les|une?|est|sont|il|elle|dans|sur|de|du|des|et|ou|pas|avec|je",
    "es": r"el|la|los|las|una?|es|son|est[áa]|en|de|del|y|o|no|con|que",
}
"""Words that alone are no part of an answer."""
