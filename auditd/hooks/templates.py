"""What people read in chats and mails: sandboxed Jinja2, English and Chinese built in.

Whatever a template prints is foreign text: it becomes one line, is cut, and is escaped for the
target. Only the template's own words and links are taken as they are.

Jinja2 is imported when there is a hook that writes for people: a start is slower by 50 ms with it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from auditd.alerting.notification import Notification, NotifiedAlert, NotifiedStatus
from auditd.hooks.fit import cut_lines, most_that_fit
from auditd.hooks.port import Message

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

VALUE_LIMIT = 500
"""Characters of one printed value, before it is escaped."""

_log = logging.getLogger(__name__)

OUTPUT_LIMIT = 16_384
"""Characters that a configured template of an alert may make."""

TITLE_LIMIT = 500
"""Characters that a configured template of a title may make."""

_TITLE_VALUE_LIMIT = 128
"""Characters of one value printed in a title, before it is escaped."""

_WEB_ADDRESS = re.compile(r"https?://[!#-;=?-Z_a-z~%\[\]]+", re.ASCII)


class Language(StrEnum):
    """Of the built-in texts."""

    EN = "en"
    ZH = "zh"


def _plain_link(url: str, words: str) -> str:
    return f"{words}: {url}"


@dataclass(frozen=True, slots=True)
class Target:
    """How text is written for one kind of receiver."""

    escape: Callable[[str], str] = str
    """Makes any text mean just itself."""
    link: Callable[[str, str], str] = _plain_link
    """Of an address, which has no blank and none of <>"|\\^`{}, and of words that are escaped."""


PLAIN = Target()


class _Written(str):
    """Text that is escaped already. What a template makes of it is escaped once more."""

    __slots__ = ()


class Wording:
    """Writes notifications in one language for one target.

    `title` and `text` are Jinja2 templates that replace the built-in ones: of the title, with
    the variable `notification`, and of one alert, with `alert`; both also have
    `link(url, words)`. When such a template fails, or makes far too much, the built-in one takes
    its place.

    Raises:
        ValueError: a template has no valid syntax.
    """

    def __init__(
        self,
        language: Language,
        target: Target = PLAIN,
        *,
        title: str | None = None,
        text: str | None = None,
    ) -> None:
        source = (files("auditd.hooks") / "texts" / f"{language}.jinja").read_text("utf-8")
        titles = _environment(target, value_limit=_TITLE_VALUE_LIMIT)
        texts = _environment(target, value_limit=VALUE_LIMIT)
        self._titles: Any = titles.from_string(source).module
        self._texts: Any = texts.from_string(source).module
        self._title = _compile(titles, title, "title")
        self._text = _compile(texts, text, "text")

    def title(self, notification: Notification) -> str:
        """One line of a few hundred characters at most, before they are escaped."""
        facts = _Headline.of(notification)
        built_in: str = self._titles.title(facts)
        chosen = _print(self._title, TITLE_LIMIT, notification=facts) if self._title else None
        return " ".join((chosen or built_in).split())

    def alert(self, alert: NotifiedAlert) -> str:
        """What is said of one alert: a few lines, the first of which tells most."""
        built_in: str = self._texts.alert(alert)
        chosen = _print(self._text, OUTPUT_LIMIT, alert=alert) if self._text else None
        return (chosen or built_in).strip()

    def more(self, count: int, url: str) -> str:
        """That there are `count` alerts that are not told of here, but at `url` if there is one."""
        text: str = self._texts.more(count, url if _WEB_ADDRESS.fullmatch(url) else "")
        return text.strip()

    def body(
        self,
        message: Message,
        *,
        limit: int,
        separator: str = "\n\n",
        size: Callable[[str], int] = len,
    ) -> str:
        """The alerts, as many as fit as a whole, and how many there are besides.

        If not even the first fits, as many of its lines are there as do. The result's `size` is
        at most `limit`, unless even "and N more" is larger.
        """
        alerts = message.notification.alerts
        blocks = [self.alert(alert) for alert in alerts]
        total = len(alerts) + message.notification.truncated

        def joined(*shown: str) -> str:
            left_out = total - len(shown)
            rest = [self.more(left_out, message.external_url)] if left_out else []
            return separator.join([*shown, *rest])

        def fits(*shown: str) -> bool:
            return size(joined(*shown)) <= limit

        count = most_that_fit(len(blocks), lambda count: fits(*blocks[:count]))
        shown = blocks[:count] or [cut_lines(blocks[0], fits)]
        return joined(*filter(None, shown))


@dataclass(frozen=True, slots=True)
class _Headline:
    """What a title may be made of."""

    status: NotifiedStatus
    reason: str
    count: int
    """Of firing alerts, or of all when none fires; those that were cut off included."""
    common_labels: dict[str, str]
    group_labels: dict[str, str]

    @classmethod
    def of(cls, notification: Notification) -> _Headline:
        count = sum(alert.status is notification.status for alert in notification.alerts)
        return cls(
            status=notification.status,
            reason=notification.reason,
            count=count + notification.truncated,
            common_labels=dict(notification.common_labels),
            group_labels=dict(notification.group_labels),
        )


def _environment(target: Target, *, value_limit: int) -> ImmutableSandboxedEnvironment:
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 -- see the module

    def written(value: Any) -> str:
        is_done = isinstance(value, _Written)
        return value if is_done else target.escape(_one_line(value, value_limit))

    def link(url: str, words: str) -> _Written:
        text = written(words)
        is_safe = _WEB_ADDRESS.fullmatch(url)
        return _Written(target.link(url, text) if is_safe else f"{text}: {written(url)}")

    environment = ImmutableSandboxedEnvironment(
        autoescape=False,  # every target has its own escaping, see `finalize`
        finalize=written,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["link"] = link
    return environment


def _one_line(value: Any, limit: int) -> str:
    line = " ".join(str(value).split())
    text = "".join(character for character in line if character.isprintable())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _compile(
    environment: ImmutableSandboxedEnvironment, source: str | None, key: str
) -> Template | None:
    from jinja2 import TemplateError  # noqa: PLC0415 -- see the module

    try:
        return environment.from_string(source) if source else None
    except TemplateError as error:
        msg = f"{key} is not a valid Jinja2 template: {error}"
        raise ValueError(msg) from error


def _print(template: Template, limit: int, **facts: Any) -> str | None:
    """What the template makes; None when it fails, makes nothing, or more characters than this."""
    try:
        text = "".join(_up_to(limit, template.generate(facts)))
    except Exception as error:  # noqa: BLE001 # a template can raise anything; the alert must be told
        _log.warning("a template failed (%s); the built-in text is sent", type(error).__name__)
        return None
    return text if text.strip() and len(text) <= limit else None


def _up_to(limit: int, pieces: Iterable[str]) -> list[str]:
    """The pieces up to the one that exceeds the limit, so that no loop of a template is endless."""
    kept: list[str] = []
    total = 0
    for piece in pieces:
        kept.append(piece)
        total += len(piece)
        if total > limit:
            break
    return kept
