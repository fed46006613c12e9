"""Rules for addresses, where people or programs name them."""

from typing import ClassVar

from settings.fields import Group, Names, names_of, switch
from texts.text import _
from utils.urls import UrlPolicy


class SafetySettings(Group):
    title: ClassVar[str] = "Addresses"
    live: ClassVar[frozenset[str]] = frozenset({"allowed_hosts"})

    allow_insecure_http: bool = switch(False, _("Allow unencrypted http:// to engines on the internet"))
    allow_private: bool = switch(
        False,
        _("Allow addresses of this machine and its network in /sdconnect, links and webhooks"),
        variable="ALLOW_PRIVATE_BACKENDS",
    )
    allowed_hosts: Names = names_of(
        _("The only hosts allowed in /sdconnect; empty: all public ones"),
        _("hosts, like .runpod.net"),
        variable="ALLOWED_BACKEND_HOSTS",
    )

    @property
    def links(self) -> UrlPolicy:
        """The rules for addresses of pictures and webhooks."""
        return UrlPolicy(allow_private=self.allow_private, allow_insecure_http=self.allow_insecure_http)

    @property
    def connections(self) -> UrlPolicy:
        """The rules for engines that people bring."""
        return UrlPolicy(
            allow_private=self.allow_private,
            allow_insecure_http=self.allow_insecure_http,
            allowed_hosts=self.allowed_hosts,
        )

    @property
    def trusted_connections(self) -> UrlPolicy:
        """The rules for engines that those bring who may do everything."""
        return UrlPolicy(allow_private=True, allow_insecure_http=True, allowed_hosts=self.allowed_hosts)
