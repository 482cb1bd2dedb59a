"""Chinese and Japanese numerals that count something: "三只", "十二个人", "二人", "ふたつ".

Depends on text; independent of graders. A numeral within another word ("一共", "三角形", "第一") counts nothing: one is
read before a measure word (a counter), or where nothing else is said.
"""

from collections.abc import Iterator

from pixel_env.grading.patterns import Pattern

_DIGITS = {char: value for value, chars in enumerate(("〇零", "一壹", "二两兩贰", *"三四五六七八九")) for char in chars}
_UNITS = {"十": 10, "百": 100, "千": 1_000}
_LARGE_UNITS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
LARGE_UNITS = {**_UNITS, **_LARGE_UNITS}
"""Those that may follow digits: "3万"."""

_KANA = {"ひとつ": 1, "ふたつ": 2, "みっつ": 3, "よっつ": 4, "いつつ": 5, "むっつ": 6, "ななつ": 7, "やっつ": 8}
_KANA |= {"ここのつ": 9, "ひとり": 1, "ふたり": 2, "ゼロ": 0}

_NUMERAL = f"[{''.join([*_DIGITS, *LARGE_UNITS])}]+"
_COUNTERS = (
    "个個箇個只隻辆輛台臺条條张張位名人匹头頭朵棵本件把块塊座架艘颗顆根支枝瓶杯盏盞家间間层層扇片串束列行排次种種羽枚冊"
    "册つ只株盒袋碗盘盤幅套部顶頂幢栋棟口杆節节段句字号歳岁元米年月日点點分度倍"
)
_NOT_COUNTED = "第这那哪每另同某下上此毎同各几幾数數"
"""Before a numeral: an order (第一个), a pointing word (这一个), a vague number (几十个)."""
_NUMBER = Pattern(
    rf"(?<![{_NOT_COUNTED}{''.join([*_DIGITS, *LARGE_UNITS])}])(?P<numeral>{_NUMERAL})\s?"
    rf"(?=[{_COUNTERS}](?!目)|ヶ|か所|カ所)"
    rf"|(?P<kana>{'|'.join(_KANA)})"
)
_LEAD = "(?:(?:图|圖)?(?:中|里|裡)?(?:一共|总共|總共|共计|共|合计|合計|全部で|大约|大約|约|是|有|为|為|は|答えは)*)"
_ALONE = Pattern(rf"\W*{_LEAD}(?P<numeral>{_NUMERAL})(?:です|だ|である|でした)?\W*")


def cjk_numbers(text: str) -> Iterator[tuple[int, int, float | None]]:
    """Start, end and value of each numeral that counts; the value is None for "三四个" (three or four)."""
    if alone := _ALONE.fullmatch(text):
        yield *alone.span("numeral"), value_of(alone["numeral"])
        return
    for match in _NUMBER.finditer(text):
        if match["kana"]:
            yield *match.span(), float(_KANA[match["kana"]])
        else:
            yield *match.span("numeral"), value_of(match["numeral"])


def value_of(numeral: str) -> float | None:
    """The value of a numeral; None if it is none, such as "三四"."""
    if not any(char in LARGE_UNITS for char in numeral):
        return _positional(numeral)
    total = section = 0.0
    digit: int | None = None
    for char in numeral:
        if char in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[char]
        elif char in _UNITS:
            section += (1 if digit is None or digit == 0 else digit) * _UNITS[char]
            digit = None
        else:
            total = (total + section + (digit or 0) or 1.0) * _LARGE_UNITS[char]
            section, digit = 0.0, None
    return total + section + (digit or 0)


def _positional(numeral: str) -> float | None:
    """ "二〇二四" is a year, "三四" is three or four."""
    if len(numeral) > 1 and len(numeral) < 4 and not {"〇", "零"} & set(numeral):
        return None
    return float("".join(str(_DIGITS[char]) for char in numeral[:400]))
