"""What answers say about an option: that it is denied, right, supposed or only spoken of, in six languages.

One table per concept, as in `phrases.py`. Depends on nothing else; independent of options and tasks.
"""

from pixel_env.grading.phrases import Phrases

DENIES_WHAT_FOLLOWS: Phrases = {
    "en": (
        r"not|cannot|[a-z]+n't|never|neither|nor|none|no|except|exclud\w+|rul(?:e[sd]?|ing)\s+out|eliminat\w+|"
        r"reject\w*|"
        r"discard\w*|dismiss\w*|cross(?:ed|es|ing)?\s+out|rather\s+than|instead\s+of|unlike|wrong|incorrect|false|"
        r"impossible|unlikely|refuse|doubt\w*|"
        r"nothing|hardly|barely|(?:anything|everything|all|(?:any|every|each)\s+(?:other\s+)?(?:option|"
        r"choice))\s+but|disagree|against|few|nobody|no\s+one|differ(?:s|ent)?|avoid|skip|mistaken|"
        r"contradict\w*|conflict\w*|inconsistent|incompatible|refut\w+|disprov\w+|mismatch\w*"
    ),
    "zh": r"不|非|排除|除|错|没|别|未|无|否|剔|矛盾|相反",
    "ja": r"不正解|間違い|誤り|除外|除いて",
    "de": (
        r"nicht|kein\w*|weder|ausser|statt|anstatt|anstelle|falsch\w*|inkorrekt\w*|unm[öo]glich|verwerfe|"
        r"streiche|nie|bezweif\w+|widerspr\w+|widerleg\w+"
    ),
    "fr": (
        r"ne|n'\w+|pas|ni|non|jamais|aucune?|sauf|exclu\w*|[ée]limin\w*|[ée]cart\w*|rejet\w*|plut[ôo]t\s+que|"
        r"au\s+lieu\s+de|"
        r"faux|fausse|incorrecte?|impossible|doute|contredi\w+|r[ée]fut\w+"
    ),
    "es": (
        r"no|ni|nunca|jam[áa]s|tampoco|ning[úu]n\w*|excepto|salvo|descart\w*|elimin\w*|exclu\w*|rechaz\w*|"
        r"dudo|en\s+(?:lugar|vez)\s+de|fals[ao]|incorrect[ao]|err[óo]ne[ao]|imposible|contradi\w+|refut\w+"
    ),
}
"""Before an option, in its clause."""

AGREES_WITH: Phrases = {
    "en": r"match(?:es)?|fits?|confirms?|describes?|belongs\s+to|equals",
    "de": r"entspricht|passt\s+zu",
    "fr": r"(?:correspond|renvoie)\s+à",
    "es": r"corresponde\s+a|coincide\s+con",
}
"""Before "option B": what is seen is what the option says."""

ONLY: Phrases = {
    "en": r"only|just",
    "de": r"nur|lediglich|einzig",
    "fr": r"seule?|uniquement",
    "es": r"s[óo]lo|[úu]nicamente|solamente",
}
"""Before an option: what is said of it is said of no other one."""

NOT_SHOWN: Phrases = {
    "en": (
        r"(?:that|which|who)\s+(?:(?:is|are|was|were)\s+not|isn't|aren't|wasn't)\s+(?:shown|visible|present|seen|"
        r"pictured|depicted|mentioned|included|listed|in\s+the\s+(?:image|picture|photo))"
    ),
}
"""What is asked for may be what is not there: "The animal that is not shown is B"."""

SURE: Phrases = {
    "en": (
        r"(?:no|0|zero|little|not)\s+(?:doubt|question)|don't\s+doubt|no(?:thing|ne)\s+but|"
        r"no\s+(?:other\s+)?(?:option|choice)\s+but|without\s+(?:a\s+|any\s+)?doubt|not\s+only|"
        r"cannot\s+be\s+anything\s+(?:else\s+)?but|none\s+other\s+than"
    ),
    "zh": r"毫无疑问|无疑|不难(?:看出|发现)?|不仅|非常|没问题|无非",
    "de": r"kein(?:en)?\s+zweifel|zweifellos|ohne\s+zweifel|nicht\s+nur",
    "fr": r"sans\s+(?:aucun\s+)?doute|aucun\s+doute|pas\s+de\s+doute|non\s+seulement",
    "es": r"sin\s+(?:ninguna\s+)?duda|no\s+hay\s+duda|no\s+s[óo]lo",
}
"""Words of denials that deny nothing."""

IS_DENIED_AFTER: Phrases = {
    "en": (
        r"not|cannot|[a-z]+n't|never|wrong|incorrect|false|untrue|impossible|unlikely|implausible|(?:ruled|"
        r"crossed)\s+out|"
        r"(?<!stands )out|eliminated|excluded|rejected|discarded|dismissed|invalid|inaccurate|inconsistent|"
        r"contradict\w*|fails?|"
        r"lacks?|mismatch\w*|irrelevant|no|misleading|off|nor|less|hardly|far|distractor|trap|wrongly|refuted|disproved"
    ),
    "zh": r"不|错|误|排除|未|没|无|非|剔除|除外|矛盾|否",
    "ja": (
        r"ではな|じゃな|ではあり|でな|間違|誤|不正|不適|違(?:い|う|っ)|除外|除く|除け|除き|除い|合わ|合いま|合致しな|一致しま|一致しな|当てはまら|"
        r"当てはまりませ|ありえ|あり得|消え|ない|ません|矛盾|外れ|外し"
    ),
    "de": (
        r"nicht|kein\w*|falsch\w*|inkorrekt\w*|aus|ausgeschlossen|weg|raus|unm[öo]glich|unwahrscheinlich|ung[üu]ltig|"
        r"unzutreffend|widerspricht"
    ),
    "fr": (
        r"pas|ne|n'\w+|faux|fausses?|incorrecte?s?|inexacte?s?|exclue?s?|exclure|[ée]limin\w+|[ée]cart\w+|impossible|"
        r"erron[ée]e?s?|rejet\w+|contredit"
    ),
    "es": (
        r"no|tampoco|fals[ao]s?|incorrect[ao]s?|descart\w+|exclu\w+|elimin\w+|err[óo]ne[ao]s?|imposible|"
        r"equivocad[ao]s?|contradice"
    ),
}
"""Within what is said of an option."""

IS_SAID_OF: Phrases = {
    "en": (
        r"it\s+is|is|are|was|were|look\w*|seem\w*|appear\w*|can|could|would|will|do|does|did|has|have|had|"
        r"must|may|might|should|"
        r"gets?|fails?|lacks?|contradict\w*|cannot|[a-z]+n't|also|clearly|obviously|definitely|simply|both|all|which|"
        r"that|therefore|being|ruled|mentions|claims|states|implies|fits|matches|works|remains|corresponds|describes|"
        r"agrees|holds|stands|says|reads|(?:best|better|accurately|correctly|perfectly|closely|"
        r"fully)\s+[a-z]+s|printed|written|painted|drawn"
    ),
    "zh": (
        r"对|都|也|显然|明显|均|则|是|的|可以?|应|被|与|和图|跟|同|不|错|误|就|才|正确|更|最|符合|"
        r"说|描述|没|未|无|太|很|有|只|缺|中|里|排除|非"
    ),
    "ja": r"は|が|も|では|じゃ|を|と|で(?!す|し(?:た|ょう)|あ|[,、]|\s*\Z)|に|の",
    "de": (
        r"ist|sind|war|w[äa]re|kann|k[öo]nnen|k[öo]nnte|passt|passen|stimmt|stimmen|scheide\w*|entspricht|"
        r"trifft|treffen|"
        r"f[äa]llt|fallen|kommt|kommen|wird|werden|sieht|scheint|hat|zeigt|widerspricht|aus|auch|nicht|muss"
    ),
    "fr": (
        r"est|sont|n'\w+|ne|peut|peuvent|semble\w*|serait|doit|doivent|[ée]tait|para[îi]t|correspond\w*|"
        r"convient|contredit|d[ée]crit|cadre|"
        r"a|ont|aussi|montre|reste|à"
    ),
    "es": (
        r"es|son|no\s+(?:es|son|pued|coincid|encaj|correspond|est|tien|se|cumpl|describ|parec|aparec|"
        r"concuerd)\w*|puede|pueden|queda\w*|est[áa]n?|parece\w*|ser[íi]a|debe\w*|tampoco|se|coincide\w*|"
        r"encaja\w*|contradice|concuerda\w*|cumple|describe|refleja|"
        r"tiene|ha|muestra|tambi[ée]n"
    ),
}
"""Begins what is said of an option."""

IS_RIGHT: Phrases = {
    "en": (
        r"it\s+is(?=\s*[.!,]|\s*\Z)|(?:(?:is|are|was|must\s+be|has\s+to\s+be|should\s+be|would\s+be|seems|"
        r"looks|appears|remains|being|to\s+be|as)\s+)?"
        r"(?:(?:also|too|clearly|definitely|indeed|therefore|thus|hence|obviously|probably|certainly|likely|"
        r"then|the|my|"
        r"our|an?|only|most|more|much|single|one|remaining|final|very|to\s+be|best|better|accurately|"
        r"correctly|perfectly|"
        r"closely|fully|likely)\s+)*"
        r"(?:most\s+[a-z]+\s+(?:answer|option|choice|fit|match|description|explanation|candidate)|right|correct|"
        r"best|true|better|answer|accurate|appropriate|plausible|likely|suitable|valid|fits?|"
        r"match(?:es)?|choice|"
        r"consistent|left|one|option|choice|remaining|what\s+(?:i|we|the|you)\b|stands\s+out|works|remains|corresponds|"
        r"describes|agrees|supported|holds)"
    ),
    "zh": (
        r"(?:项|选项)?\s*(?:就|才|应该|应|显然|无疑|则|也|都|更|最)*(?:是|为)?(?:唯一|最)?(?:的)?"
        r"(?:正确|对的|答案|符合|合适|成立|合理|相符|吻合|对(?=\W|\Z)|匹配)|是(?=\s*[.,;]|\s*\Z)"
    ),
    "ja": (
        r"(?:が|は|のみが|だけが|も)\s*(?:最も|一番|唯一の|唯一)?\s*(?:正解|正し|適切|答え|当てはまり|当てはまる|合っ|合う|残|一致して|一致し"
        r"ます|適当)|を(?:選|答え)|と(?:思[いう]|考え|判断し|答え)|に該当し|に(?:なり|なる|決ま)|となり|となる|に違いない"
    ),
    "de": (
        r"(?:(?:ist|sind|bleibt|w[äa]re|muss)\s+)?(?:(?:also|daher|hier|die|das|der|somit|damit|eindeutig|"
        r"klar|einzige?|"
        r"einzig|am|auch|offensichtlich|wohl)\s+)*(?:richtige?|korrekte?|beste[n]?|zutreffende?|antwort|"
        r"passend\w*|wahr|"
        r"stimmt|passt|trifft\s+zu|bleibt|[üu]brig|l[öo]sung)"
    ),
    "fr": (
        r"(?:(?:est|sont|reste|doit\s+[êe]tre)\s+)?(?:(?:donc|bien|la|le|clairement|aussi|[ée]galement|seule|"
        r"l'option)\s+)*"
        r"(?:seule|bonne|bon|correcte?|juste|exacte?|meilleure?|r[ée]ponse|vraie?|correspond|convient|reste|possible)"
    ),
    "es": (
        r"(?:(?:es|son|queda|debe\s+ser)\s+)?(?:(?:la|el|opci[óo]n|claramente|tambi[ée]n|[úu]nica|m[áa]s|s[íi])\s+)*"
        r"(?:[úu]nica|correct[ao]|mejor|respuesta|verdader[ao]|adecuad[ao]|coincide|queda|encaja|cierta)"
    ),
}
"""Begins what is said of an option that is called right."""

SUPPOSES: Phrases = {
    "en": r"if|whether|unless|thought|mistak\w+|provided\s+that|had\s+it\s+been|should\s+it\s+be|as\s+though|wonder\w*",
    "zh": r"如果|假如|假设|若|要是|倘若|是否|以为|是不是",
    "ja": r"もし|仮に",
    "de": r"wenn|falls|ob|angenommen|dachte|(?:sollte|w[äa]re|w[äa]ren|h[äa]tte)\s+(?:es|sie|das|die)",
    "fr": r"si|s'il|pensais|croyais|est-ce\s+que",
    "es": r"si|pensé|pensaba|cre[íi]a",
}
"""Before an option: it is supposed, not said."""

SUPPOSES_WHAT_PRECEDES: Phrases = {
    "en": r"if|unless|provided",
    "zh": r"的话",
    "ja": r"なら|だったら|だとしたら|かどうか|であれば|の場合|とすると|とすれば",
    "de": r"wenn|falls",
    "fr": r"si",
    "es": r"si",
}
"""Behind an option, in its clause."""

DISCUSSES: Phrases = {
    "en": (
        r"consider(?:ed|ing|s)?|check\w*|tempt\w*|confus\w*|look(?:ed|ing|s)?\s+at|compar\w+|at\s+first|initially|"
        r"originally|examin\w+|evaluat\w+|regarding|about|as\s+for|for|in|than|like|between|from|of|with|at|versus|vs|"
        r"might\s+have|could\s+have|first|looked|so\s+(?:is|are|does|do)|now"
    ),
    "zh": r"考虑|看似|起初|一开始|看一?下|对于|关于|检查|比如|在|比",
    "ja": r"検討|考え|まず",
    "de": r"betrachte\w*|pr[üu]fe\w*|zun[äa]chst|zuerst|anfangs|bei|f[üu]r|zwischen|in|von",
    "fr": r"consid[ée]r\w+|d'abord|au\s+d[ée]but|v[ée]rifi\w+|examin\w+|pour|entre|dans|de",
    "es": r"consider\w*|al\s+principio|revis\w+|examin\w+|para|entre|en|de",
}
"""Before a letter: its option is spoken of, and not chosen."""

ASSUMES: Phrases = {
    "en": r"(?<!\bi )(?<!'d )(?:suppos\w+|assum\w+|imagine)",
    "zh": r"假设|假定",
    "ja": r"仮に",
    "de": r"angenommen",
    "fr": r"supposons|supposez|supposant|[àa]\s+supposer|imaginons",
    "es": r"supon\w+|imaginemos",
}
"""Begins a sentence of which nothing is said to be so."""

WOULD: Phrases = {
    "en": r"(?<!i )would|(?<!i)'d",
    "de": r"w[äa]re|w[üu]rde|m[üu]sste",
    "fr": r"serait|aurait",
    "es": r"ser[íi]a|habr[íi]a",
}
"""In the consequence of a condition that is not met."""

CONTRASTS: Phrases = {
    "en": r"while|whereas|although|(?:even\s+)?though",
    "zh": r"虽然|尽管",
    "ja": r"一方",
    "de": r"w[äa]hrend|obwohl|zwar",
    "fr": r"alors\s+que|tandis\s+que|bien\s+que",
    "es": r"mientras(?:\s+que)?|aunque",
}
"""Begins a clause about an option that is not the answer."""
