"""POST /webhooks/replicate: what Replicate says about its predictions, taken only with its signature.

Source: replicate.com/docs/topics/webhooks. It may come twice, late, or in another order, so what it says of the
prediction is not taken from it: the engine asks for that one at once.
"""

import logging

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.context import web_of
from api.dialects.failures import plain_form, route_class
from api.errors import NotFound, errors
from api.routing import Router
from generation.errors import RequestRejected
from services.refusals import SignInNeeded
from texts.text import _
from utils.webhook_signatures import verify_replicate

log = logging.getLogger(__name__)

router = Router(
    prefix="/webhooks", tags=["webhooks"], route_class=route_class(plain_form), responses=errors(400, 401, 404)
)


class _Prediction(BaseModel):
    id: str
    status: str


class _NotSigned(SignInNeeded):
    """This is not signed by Replicate, or more than five minutes old."""

    usual_hint = _("Is REPLICATE_WEBHOOK_SECRET the secret of GET /v1/webhooks/default/secret?")


@router.post("/replicate")
async def replicate(request: Request) -> dict[str, bool]:
    """Take a webhook of Replicate."""
    secret = web_of(request).settings.replicate_webhook_secret.get_secret_value()
    if not secret:
        raise NotFound(_("No webhooks of Replicate are taken here."), hint=_("Set REPLICATE_WEBHOOK_SECRET."))
    body = await request.body()
    now_s = web_of(request).services.clock.now().timestamp()
    if not verify_replicate(request.headers, body, secret, now_s=now_s):
        raise _NotSigned
    try:
        prediction = _Prediction.model_validate_json(body)
    except ValidationError as error:
        raise RequestRejected(_("This is not a prediction: it has no id and status.")) from error
    fields = {"action": "webhook_received", "prediction": prediction.id[:64], "status": prediction.status[:32]}
    is_ours = web_of(request).services.catalog.announce(prediction.id)
    log.info("webhook from Replicate", extra=fields | {"is_ours": is_ours})
    return {"success": True}
