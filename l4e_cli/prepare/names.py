# ruff: noqa: RUF001 - the table below is of letters that look alike
"""Names that the service allows, made of names that it does not, so that they stay recognisable."""

import re
import unicodedata
from collections.abc import Sequence

REPORT, NAMES = ".report.json", ".names.csv"
"""How the files end that `l4e prepare` writes beside a folder: its decisions, and all names of sensors."""

_ILLEGAL_SENSOR = re.compile(r"[^0-9a-zA-Z:#$.\-_]+")
_ILLEGAL_COMPONENT = re.compile(r"[^0-9a-zA-Z._\-]+")
_MAX_LENGTH = 200
_LATIN = "ä ae ö oe ü ue ß ss æ ae ø oe å aa œ oe þ th ð d ł l đ d"
_CYRILLIC = (
    "а a б b в v г g д d е e ё e ж zh з z и i й i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч "
    "ch ш sh "
    "щ shch ъ _ ы y ь _ э e ю iu я ia і i ї i є ie ґ g ў u"
)
_GREEK = (
    "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ u ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o"
)
_SIGNS = "% pct ° deg µ u \u2126 Ohm ± pm Δ delta № No \u207b - \u2212 - \u2013 - \u2014 -"
_WORDS = f"{_LATIN} {_CYRILLIC} {_GREEK} {_SIGNS}".split()
_SPELLED = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
_LETTER_MU = re.compile("(?<=[α-ωά-ώ])μ|μ(?=[α-ωά-ώ])")
"""Within a Greek word; elsewhere it stands for micro."""

_SPOKEN = re.compile(r"(?:KATAKANA|HIRAGANA) (?:LETTER )?(?:SMALL )?([A-Z]+)$|HANGUL SYLLABLE ([A-Z]+)$")
_READ_ALOUD = re.compile(
    r"(?:ARABIC|HEBREW|THAI|DEVANAGARI|ARMENIAN|GEORGIAN)[A-Z ]* (?:LETTER|CHARACTER) (?:[A-Z]+ )?([A-Z]+)$"
)


def sensor_name(name: str) -> str:
    """Return a name that the service allows for a sensor; empty when nothing of the name can be kept.

    Example:
        >>> sensor_name("Öltemperatur [°C]"), sensor_name("Давление 1"), sensor_name("Level %")
        ('Oeltemperatur_degC', 'Davlenie_1', 'Level_pct')
    """
    return _legal(name, _ILLEGAL_SENSOR)


def component_name(name: str) -> str:
    """Return a name that the service allows for a component; empty when nothing of the name can be kept."""
    return _legal(name, _ILLEGAL_COMPONENT)


def distinct_names(names: Sequence[str], *, taken: Sequence[str] = ()) -> list[str]:
    """Return a legal name for each name, all different even when case does not count.

    Args:
        names: Names as they stand in the file.
        taken: Names that no column may have.
    """
    seen = {name.lower() for name in taken}
    made = []
    legal = [sensor_name(name) or f"sensor_{at}" for at, name in enumerate(names, start=1)]
    exact = {name.lower() for name, original in zip(legal, names, strict=True) if name == original}
    for name, original in zip(legal, names, strict=True):
        chosen, number = name, 1
        while chosen.lower() in seen or (chosen.lower() in exact and chosen != original):
            number += 1
            suffix = f"_{number}"
            chosen = name[: _MAX_LENGTH - len(suffix)] + suffix
        seen.add(chosen.lower())
        made.append(chosen)
    return made


def _legal(name: str, illegal: re.Pattern[str]) -> str:
    text = _LETTER_MU.sub("m", unicodedata.normalize("NFC", name))
    text = "".join(_spelled(character) for character in text)
    text = re.sub(r"_+", "_", illegal.sub("_", text)).strip("_")
    return text[:_MAX_LENGTH] if re.search(r"[0-9A-Za-z]", text) else ""


def _spelled(character: str) -> str:
    """Return a character in ASCII, as well as it can be told."""
    if character.isascii():
        return {"%": "pct"}.get(character, character)
    lower = character.lower()
    if character in _SPELLED:
        return _SPELLED[character]
    if lower in _SPELLED:
        return _SPELLED[lower].capitalize()
    base = unicodedata.normalize("NFD", lower)[0]
    if base in _SPELLED:
        return _SPELLED[base] if character == lower else _SPELLED[base].capitalize()
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    if plain:
        return plain
    said = unicodedata.name(character, "")
    match = _SPOKEN.match(said) or _READ_ALOUD.match(said)
    return next(part for part in match.groups() if part).lower() if match else "_"
