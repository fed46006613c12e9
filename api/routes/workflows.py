"""Workflows of people's own: read, corrected, kept by name, drawn as nodes and links."""

import json
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import Path, Request, Response

from api.bodies import WORKFLOWS, takes
from api.caller import Maker, Reader
from api.context import Web, web_of
from api.errors import Gone, NotFound, errors
from api.routing import Router
from api.schemas.workflows import (
    AnalysedOut,
    CorrectionIn,
    FieldOut,
    InputOut,
    NodeOut,
    WholeWorkflowOut,
    WorkflowIn,
    WorkflowOptionOut,
    WorkflowOut,
    WorkflowsOut,
)
from generation.errors import NotAllowed, RequestRejected
from generation.person import Person
from generation.request import WorkflowRef
from services.drawing.workflow_parts import FIELDS, Node, Parts, take_apart
from services.drawing.workflows import Analysed, Owner, StoredWorkflow
from texts.text import _
from utils.threads import run_in_thread

router = Router(prefix="/api", tags=["workflows"], responses=errors(401, 403, 422))

Name = Annotated[str, Path(min_length=1, max_length=120)]
NOWHERE: Final = "none"
JSON_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"3": {"class_type": "KSampler"}}}},
    }
}


@router.get("/workflows")
async def workflows(request: Request, caller: Reader) -> WorkflowsOut:
    """List the workflows one may draw with: your own, then everybody's."""
    web = web_of(request)
    found = await web.services.workflows.list(caller)
    return WorkflowsOut(workflows=[_listed(item, await _parts(web, item), caller) for item in found])


@router.post(
    "/workflows/analyse", dependencies=[takes(WORKFLOWS)], openapi_extra=JSON_BODY, responses=errors(400, 502, 503)
)
async def analyse(request: Request, caller: Maker) -> AnalysedOut:
    """Find out what an exported workflow is for; the body is the file. Nothing is kept by name yet."""
    web = web_of(request)
    analysed = await web.services.workflows.analyse(await request.body(), caller)
    parts = await run_in_thread(take_apart, analysed.graph, analysed.mapping)
    return AnalysedOut(
        engine=analysed.engine,
        fields=_fields(parts),
        nodes=_nodes(parts),
        outputs=list(parts.outputs),
        problems=list(analysed.problems),
        lines=list(analysed.lines),
        token=web.drafts.put(analysed, caller.user_key, web.services.clock.monotonic()),
    )


@router.get("/workflows/{name}", responses=errors(404))
async def workflow(request: Request, name: Name, caller: Reader) -> WholeWorkflowOut:
    """Show one with its nodes and links."""
    web = web_of(request)
    return await _whole(web, await _find(web, name, caller), caller)


@router.put("/workflows/{name}", dependencies=[takes(WORKFLOWS)], responses=errors(400, 404, 410, 429, 502, 503))
async def keep(request: Request, name: Name, body: WorkflowIn, caller: Maker) -> WholeWorkflowOut:
    """Keep a workflow by name, in place of your own of that name."""
    web = web_of(request)
    analysed = await _analysed(web, body, caller)
    if body.mapping is not None:
        parts = await run_in_thread(take_apart, analysed.graph, analysed.mapping)
        wanted = {field: tuple(body.mapping.get(field, ())) for field in {*parts.fields, *body.mapping}}
        changes = {
            field: ", ".join(slots) or NOWHERE
            for field, slots in wanted.items()
            if slots != parts.fields.get(field, ())
        }
        analysed = await web.services.workflows.adjust(analysed, changes) if changes else analysed
    kept = await web.services.workflows.save(analysed, name, _owner(caller))
    return await _whole(web, kept, caller)


@router.patch("/workflows/{name}", responses=errors(400, 404))
async def correct(request: Request, name: Name, body: CorrectionIn, caller: Maker) -> WholeWorkflowOut:
    """Set where one value goes."""
    web = web_of(request)
    found = await _own(web, name, caller)
    corrected = await web.services.workflows.correct(found.name, body.field, body.value, _owner_of(found))
    return await _whole(web, corrected, caller)


@router.delete("/workflows/{name}", status_code=204, responses=errors(404))
async def delete(request: Request, name: Name, caller: Maker) -> Response:
    """Forget a name; pictures made with it can still be made again."""
    web = web_of(request)
    found = await _own(web, name, caller)
    await web.services.workflows.delete(found.name, _owner_of(found))
    return Response(status_code=204)


async def _analysed(web: Web, body: WorkflowIn, caller: Person) -> Analysed:
    if body.token:
        found = web.drafts.get(body.token, caller.user_key, web.services.clock.monotonic())
        if found is None:
            raise Gone(_("This upload has been forgotten."), hint=_("Choose the file again."))
        return found
    if body.graph is None:
        raise RequestRejected(_("Send the token of an analysis, or a graph."), field="token")
    content = await run_in_thread(json.dumps, body.graph)
    return await web.services.workflows.analyse(content.encode(), caller)


async def _find(web: Web, name: str, caller: Person) -> StoredWorkflow:
    """Return one by its whole name; your own before everybody's."""
    wanted = " ".join(name.split()).casefold()
    for item in await web.services.workflows.list(caller):
        if item.name.casefold() == wanted:
            return item
    raise NotFound(_("There is no workflow of that name."))


async def _own(web: Web, name: str, caller: Person) -> StoredWorkflow:
    found = await _find(web, name, caller)
    if not _is_mine(found, caller):
        raise NotAllowed(_("This workflow is everybody's: only admins may change it."))
    return found


def _is_mine(stored: StoredWorkflow, caller: Person) -> bool:
    return stored.owner_kind == "user" or caller.is_admin


def _owner(caller: Person) -> Owner:
    """Whoever sits at this machine keeps workflows for everybody, as the console does."""
    return Owner() if caller.how == "local" else Owner(kind="user", id=caller.user_id)


def _owner_of(stored: StoredWorkflow) -> Owner:
    return Owner(kind=stored.owner_kind, id=stored.owner_id)


async def _parts(web: Web, stored: StoredWorkflow) -> Parts:
    loaded = await web.services.workflows.load(WorkflowRef(name=stored.name, id=stored.version))
    return await run_in_thread(take_apart, loaded.graph, loaded.mapping)


async def _whole(web: Web, stored: StoredWorkflow, caller: Person) -> WholeWorkflowOut:
    workflow = await web.services.workflows.load(WorkflowRef(name=stored.name, id=stored.version))
    parts = await run_in_thread(take_apart, workflow.graph, workflow.mapping)
    offered = await web.services.workflows.options(workflow, caller) if parts.options else ()
    options = [
        WorkflowOptionOut(
            **asdict(item) | {"choices": list(item.choices), "slots": list(parts.options.get(item.name, ()))}
        )
        for item in offered
    ]
    listed = _listed(stored, parts, caller)
    values = listed.model_dump(exclude={"fields"})
    return WholeWorkflowOut(
        **values,
        fields=listed.fields,
        options=options,
        nodes=_nodes(parts),
        outputs=list(parts.outputs),
        problems=list(await web.services.workflows.problems(workflow, caller)),
    )


def _listed(stored: StoredWorkflow, parts: Parts, caller: Person) -> WorkflowOut:
    return WorkflowOut(
        name=stored.name,
        engine=stored.kind,
        fields=_fields(parts),
        owner=stored.owner_kind,
        is_mine=_is_mine(stored, caller),
        updated_at=stored.updated_at,
    )


def _fields(parts: Parts) -> list[FieldOut]:
    return [FieldOut(field=name, slots=list(slots), meaning=FIELDS[name]) for name, slots in parts.fields.items()]


def _nodes(parts: Parts) -> list[NodeOut]:
    return [_node(node) for node in parts.nodes]


def _node(node: Node) -> NodeOut:
    inputs = [InputOut(name=item.name, value=item.value, link=item.link) for item in node.inputs]
    return NodeOut(id=node.id, class_type=node.class_type, title=node.title, inputs=inputs)
