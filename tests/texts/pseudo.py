"""A catalog that translates every sentence: what people read without its brackets went past `_()`."""


class PseudoCatalog:
    """`⟦English⟧` for each template."""

    def gettext(self, message: str, /) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"
