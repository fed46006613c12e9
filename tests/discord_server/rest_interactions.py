"""Answers to interactions: the callback, `@original` and follow-ups.

Source: "Receiving and Responding to Interactions" of the official documentation.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.discord_server import errors, limits
from tests.discord_server.elsewhere import MOST_AFTER_FIRST, is_foreign
from tests.discord_server.interaction import (
    AUTOCOMPLETE,
    COMPONENT,
    MODAL_SUBMIT,
    TOKEN_LIVES_S,
    Interaction,
    Modal,
)
from tests.discord_server.message_limits import check_message
from tests.discord_server.modal_limits import check_modal
from tests.discord_server.model import EPHEMERAL, LOADING, Message
from tests.discord_server.posting import Poster
from tests.discord_server.uploads import BODY, Body

MESSAGE, THINKING, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9


class InteractionRoutes:
    """Handlers that need no bot token: the interaction's own token is the right to speak."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._server = poster.server

    def table(self) -> list[tuple[str, str, Any]]:
        webhook = "/webhooks/{webhook_id}/{webhook_token}"
        original, message = f"{webhook}/messages/@original", f"{webhook}/messages/{{message_id}}"
        return [
            ("POST", "/interactions/{interaction_id}/{interaction_token}/callback", self.callback),
            ("POST", webhook, self.follow_up),
            ("GET", original, self.get),
            ("PATCH", original, self.edit),
            ("DELETE", original, self.delete),
            ("GET", message, self.get),
            ("PATCH", message, self.edit),
            ("DELETE", message, self.delete),
        ]

    async def callback(self, request: web.Request) -> web.Response:
        """Take the first answer."""
        interaction = self._server.interactions.get(request.match_info["interaction_token"])
        if interaction is None or str(interaction.id) != request.match_info["interaction_id"]:
            raise errors.unknown_interaction()
        waited = self._server.now() - interaction.created_t
        if interaction.callback_type is not None:
            raise errors.already_acknowledged()
        if interaction.is_late(self._server.now()):
            raise errors.ApiError(404, 10062, "Unknown interaction", violation=True)
        body: Body = request[BODY]
        kind = (body.json or {}).get("type")
        self._refuse_kind(interaction, kind)
        data = Body(json=body.json.get("data") or {}, files=body.files, notes=body.notes)
        self._answer(interaction, kind, data)
        interaction.callback_type = kind
        interaction.acknowledged_after_s = waited
        self._server.changed()
        if request.query.get("with_response", "false").lower() not in ("true", "1"):
            return web.Response(status=204)
        resource = {"type": kind} | ({"message": interaction.original.to_json()} if interaction.original else {})
        about = {"id": str(interaction.id), "type": interaction.type}
        return web.json_response({"interaction": about, "resource": resource})

    def _refuse_kind(self, interaction: Interaction, kind: Any) -> None:
        allowed = {MESSAGE, THINKING, MODAL}
        if interaction.type == AUTOCOMPLETE:
            allowed = {CHOICES}
        elif interaction.type == COMPONENT or (interaction.type == MODAL_SUBMIT and interaction.source):
            allowed |= {DEFERRED_UPDATE, UPDATE}
        if interaction.type == MODAL_SUBMIT:
            allowed.discard(MODAL)
        if kind not in allowed:
            text = f"Value must be one of {tuple(sorted(allowed))}."
            raise errors.invalid_form([("type", "BASE_TYPE_CHOICES", text)])

    def _answer(self, interaction: Interaction, kind: int, body: Body) -> None:
        data = body.json
        if kind in (MESSAGE, UPDATE):
            problems = [(f"data.{where}", code, text) for where, code, text in self._problems(interaction, kind, data)]
            self._poster.check(problems)
        if kind == MESSAGE:
            interaction.original = self._post(interaction, body, (data.get("flags") or 0) & EPHEMERAL)
        elif kind == THINKING:
            if (data.get("flags") or 0) & ~EPHEMERAL:
                raise errors.invalid_form([("data.flags", "BASE_TYPE_CHOICES", "Only EPHEMERAL can be deferred")])
            flags = (data.get("flags") or 0) & EPHEMERAL
            interaction.original = self._post(interaction, Body(json={}), flags | LOADING)
        elif kind == UPDATE and interaction.source is not None:
            interaction.original = self._existing(interaction.source)
            self._poster.edit(interaction.source, body)
        elif kind == DEFERRED_UPDATE:
            interaction.original = interaction.source
        elif kind == CHOICES:
            self._poster.check(limits.check_autocomplete(data.get("choices") or []))
            interaction.choices = data.get("choices") or []
        elif kind == MODAL:
            self._poster.check(check_modal(data))
            interaction.modal = Modal(
                title=data["title"],
                custom_id=data["custom_id"],
                components=data["components"],
                interaction=interaction,
            )

    def _problems(self, interaction: Interaction, kind: int, data: dict[str, Any]) -> list[errors.Problem]:
        is_update = kind == UPDATE and interaction.source is not None
        return check_message(data, interaction.source.flags if is_update and interaction.source else 0)

    def _post(self, interaction: Interaction, body: Body, flags: int) -> Message:
        return self._poster.create(
            interaction.channel,
            body,
            reference=interaction.source if interaction.type == COMPONENT else None,
            interaction=interaction,
            visible_to=interaction.user if flags & EPHEMERAL else None,
            flags=flags,
        )

    def _existing(self, message: Message | None) -> Message:
        if message is None or message.deleted:
            raise errors.unknown_message()
        return message

    def _interaction(self, request: web.Request) -> Interaction:
        interaction = self._server.interactions.get(request.match_info["webhook_token"])
        if interaction is None or request.match_info["webhook_id"] != str(self._server.application_id):
            raise errors.unknown_webhook()
        if interaction.expired or self._server.now() - interaction.created_t > TOKEN_LIVES_S:
            raise errors.invalid_webhook_token()
        if interaction.callback_type is None:  # before the first answer the webhook does not exist yet
            raise errors.unknown_webhook()
        return interaction

    def _message(self, request: web.Request) -> tuple[Interaction, Message]:
        interaction = self._interaction(request)
        message_id = request.match_info.get("message_id")
        if message_id is None:
            return interaction, self._existing(interaction.original)
        mine = [interaction.original, *interaction.followups]
        found = next((item for item in mine if item is not None and str(item.id) == message_id), None)
        return interaction, self._existing(found)

    async def follow_up(self, request: web.Request) -> web.Response:
        interaction = self._interaction(request)
        body: Body = request[BODY]
        self._poster.check(check_message(body.json))
        original = interaction.original
        if original is not None and original.loading and not original.deleted:
            self._poster.edit(original, body)  # documented as deprecated, but what the service does
            return web.json_response(original.to_json())
        if is_foreign(self._server, interaction.channel.guild) and len(interaction.followups) >= MOST_AFTER_FIRST:
            raise errors.ApiError(400, 40094, "This interaction has reached its most follow-ups", violation=True)
        flags = (body.json.get("flags") or 0) & EPHEMERAL
        message = self._post(interaction, body, flags)
        interaction.followups.append(message)
        self._server.changed()
        return web.json_response(message.to_json())

    async def get(self, request: web.Request) -> web.Response:
        _, message = self._message(request)
        return web.json_response(message.to_json())

    async def edit(self, request: web.Request) -> web.Response:
        _, message = self._message(request)
        body: Body = request[BODY]
        self._poster.check(check_message(body.json, message.flags))
        self._poster.edit(message, body)
        return web.json_response(message.to_json())

    async def delete(self, request: web.Request) -> web.Response:
        _, message = self._message(request)
        self._server.delete_message(message)
        return web.Response(status=204)
