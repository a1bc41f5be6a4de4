"""How a page says numbers, times and foreign text, as of one instant and in one language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from markupsafe import Markup

from auditd.alerting.hush import Suppression
from auditd.audit.authorization import TimestampFault
from auditd.audit.instant import format_instant
from auditd.web.pages.foreign_text import foreign
from auditd.web.pages.language import Language, Translation, message
from auditd.web.pages.words import word_of

_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_STEPS = (
    (_MINUTE, _SECOND, message("%(count)d s")),
    (_HOUR, _MINUTE, message("%(count)d min")),
    (2 * _DAY, _HOUR, message("%(count)d h")),
    (timedelta.max, _DAY, message("%(count)d d")),
)
"""Below the first a duration is counted in the second."""
_AT_ONCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Wording:
    """Handed to each template as `say`."""

    translation: Translation
    now: datetime
    is_language_asked: bool = False
    """Whether links keep the language, because it was asked for and not just preferred."""

    @property
    def language(self) -> Language:
        """What the page is written in."""
        return self.translation.language

    def duration(self, length: timedelta) -> str:
        """Roughly, in one unit: `42 s`, `12 min`, `47 h`, `90 d`. Negative ones count as 0."""
        length = max(length, timedelta(0))
        for limit, unit, text in _STEPS:
            if length < limit:
                return self.translation.gettext(text) % {"count": length // unit}
        raise AssertionError  # nothing is longer than timedelta.max

    def count(self, number: int) -> str:
        """`12,345`."""
        return f"{number:,}"

    def relative(self, instant: datetime) -> str:
        """`5 min ago`, `in 3 d`, `now`."""
        distance = self.now - instant
        if abs(distance) < _AT_ONCE:
            return self.translation.gettext(message("now"))
        if distance > timedelta(0):
            text = self.translation.gettext(message("%(duration)s ago"))
        else:
            text = self.translation.gettext(message("in %(duration)s"))
        return text % {"duration": self.duration(abs(distance))}

    def ago(self, instant: datetime | TimestampFault | None) -> Markup:
        """Relative to now; the instant itself when it is pointed at. What there is not is `-`."""
        if not isinstance(instant, datetime):
            return self._no_instant(instant)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            format_instant(instant), _plain(instant), self.relative(instant)
        )

    def instant(self, instant: datetime | TimestampFault | None) -> Markup:
        """The instant itself, in UTC to the second, and how long ago it is."""
        if not isinstance(instant, datetime):
            return self._no_instant(instant)
        return Markup('<time datetime="{}">{}</time> <span class="quiet">({})</span>').format(
            format_instant(instant), _plain(instant), self.relative(instant)
        )

    def _no_instant(self, fault: TimestampFault | None) -> Markup:
        return self.badge(fault) if fault else Markup("—")

    def foreign(self, text: str) -> Markup:
        """Text that others wrote."""
        return foreign(text) if text else Markup("—")

    def word(self, member: StrEnum) -> str:
        """What a member of a closed set is called."""
        return self.translation.gettext(word_of(member).text)

    def badge(self, member: StrEnum) -> Markup:
        """The same, marked so that it is seen at a glance, with and without colour."""
        word = word_of(member)
        return Markup(
            '<span class="badge {}"><span class="mark" aria-hidden="true">{}</span>{}</span>'
        ).format(word.tone, word.mark, self.translation.gettext(word.text))

    def suppression(self, reasons: str) -> Markup:
        """A badge for each of several reasons, which are separated by commas."""
        return Markup(" ").join(
            self.badge(Suppression(reason)) for reason in reasons.split(", ") if reason
        )

    def english(self, text: str) -> Markup:
        """A sentence of this program's own that is English whatever the page is."""
        translated = self.translation.gettext(text)
        if translated != text or self.language is Language.EN:
            return foreign(translated)
        return Markup('<span lang="en">{}</span>').format(foreign(text))

    def web_address(self, address: str) -> str:
        """The address when a browser opens it as a page, else nothing."""
        return address if address.startswith(("https://", "http://")) else ""

    def url(self, page: str, /, **parameters: str | int | None) -> str:
        """A link relative to any page, since all of them lie side by side."""
        given = {name: value for name, value in parameters.items() if value not in ("", None)}
        if self.is_language_asked and "lang" not in given:
            given["lang"] = self.language
        query = urlencode(given, errors="replace")
        return f"{page or './'}?{query}" if query else (page or "./")


def _plain(instant: datetime) -> str:
    return format_instant(instant).replace("T", " ").replace("Z", " UTC")
