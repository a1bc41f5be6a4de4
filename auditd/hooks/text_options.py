"""The options of every kind of hook whose messages are read by people."""

from __future__ import annotations

from dataclasses import dataclass

from auditd.hooks.templates import PLAIN, Language, Target, Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """What people read."""

    language: Language = Language.EN
    """The language of the built-in texts."""
    title: str | None = None
    """A Jinja2 template of one line about all alerts of a message, instead of the built-in one."""
    text: str | None = None
    """A Jinja2 template of what is said of one alert, instead of the built-in one."""

    def wording(self, target: Target = PLAIN) -> Wording:
        """Raises ValueError when a template has no valid syntax."""
        return Wording(self.language, target, title=self.title, text=self.text)
