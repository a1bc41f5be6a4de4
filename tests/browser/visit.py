"""Opens pages as people have them set up, and notes what the browser complains of."""

from __future__ import annotations

from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

Scheme = Literal["light", "dark"]

_REPORT = """
addEventListener("securitypolicyviolation", (violation) => {
  console.error(`refused: ${violation.violatedDirective} ${violation.blockedURI}`);
});
"""


class Visits:
    """`complaints` has errors of scripts, refusals by the policy and dialogs that opened.

    What holds one of `expected` is none.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.url = url
        self._heard: list[str] = []
        self.expected: list[str] = []

    @property
    def complaints(self) -> list[str]:
        return [told for told in self._heard if not any(part in told for part in self.expected)]

    async def open(self, path: str, **settings: Any) -> Page:
        """A page in a browser of its own; `settings` are those of a context."""
        context = await self._browser.new_context(**settings)
        context.set_default_timeout(5000)
        self._contexts.append(context)
        await context.add_init_script(_REPORT)
        page = await context.new_page()
        self.watch(page)
        await page.goto(f"{self.url}{path}")
        return page

    def watch(self, page: Page) -> None:
        """Note its complaints."""
        page.on("pageerror", lambda error: self._heard.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._hear(page, message))
        page.on("dialog", lambda dialog: self._heard.append(f"{page.url}: {dialog.message}"))

    def _hear(self, page: Page, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._heard.append(f"{page.url}: {message.text}")

    async def end(self) -> None:
        """Close all."""
        for context in self._contexts:
            await context.close()
