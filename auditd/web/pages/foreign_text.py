"""Text that others wrote, shown so that it means just itself.

Where the answer of ServiceStage is parsed, what does not print is dropped. What comes from
elsewhere (a person's comment, a receiver's error) may still hold it, so that it is made visible
here; and no text may turn the direction of what stands beside it.
"""

from __future__ import annotations

from markupsafe import Markup, escape

_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""They print as nothing although Unicode counts them as letters, marks or symbols."""
_LONGEST = 2000


def visible(text: str) -> str:
    """`text` with each character that cannot be seen written as `⟨U+202E⟩`."""
    if text.isprintable() and _INVISIBLE_LETTERS.isdisjoint(text):
        return text
    return "".join(
        character
        if (character.isprintable() and character not in _INVISIBLE_LETTERS) or character == "\n"
        else f"⟨U+{ord(character):04X}⟩"
        for character in text
    )


def foreign(text: str) -> Markup:
    """Escaped, cut, and isolated from the direction of what is around."""
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return Markup("<bdi>{}</bdi>").format(escape(visible(cut)))
