"""Workflows of people's own: whose they are, what may be kept, and which engine draws with them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from backends.base import BackendConfig, ReadWorkflow
from backends.registry import BackendRegistry, Entry, Owner
from generation.capabilities import Capabilities, Fit, Refused
from generation.errors import BackendUnavailable, CapabilityError, LimitReached, RequestRejected
from generation.request import Draft, GenerationRequest, Mode, SourceImage, WorkflowRef
from services.drawing import workflows
from services.drawing.workflows import WorkflowService
from store.workflows import WorkflowStore
from tests.fakes import FakeBackend, FakeClock
from tests.people import person
from tests.store.ready import open_database
from tests.utils.pictures import picture as drawn_flat

ANN = Owner(kind="user", id="ann")
GUILD = Owner(kind="guild", id="g")
CAN = Capabilities(modes=frozenset({Mode.TXT2IMG}), supports_workflows=True)


class WorkflowEngine(FakeBackend):
    """Reads every file as a workflow; `lacks` is a node it does not have."""

    def __init__(self, name: str, *, lacks: str = "", can: Capabilities = CAN) -> None:
        super().__init__(name)
        self.lacks, self.can, self.is_away = lacks, can, False
        self.corrections: list[tuple[str, str]] = []
        self.lacks_file = ""
        self.remarks: tuple[str, ...] = ()

    async def read_workflow(self, content: bytes) -> ReadWorkflow:
        if content == b"nonsense":
            raise RequestRejected("This file is not JSON.")
        await self.workflow_capabilities(WorkflowRef(name=""))
        problems = (f"This engine has no model “{self.lacks_file}”.",) if self.lacks_file else ()
        return ReadWorkflow(graph=content.decode(), mapping="{}", lines=("prompt: node 6, text",), problems=problems)

    async def correct_workflow(self, workflow: WorkflowRef, field: str, place: str) -> ReadWorkflow:
        self.corrections.append((field, place))
        return ReadWorkflow(graph=workflow.graph, mapping=f'"{field} {place}"', lines=(f"{field}: {place}",))

    async def workflow_capabilities(self, workflow: WorkflowRef) -> Capabilities:
        if self.is_away:
            raise BackendUnavailable(f"{self.name} is away.")
        if self.lacks:
            raise CapabilityError(f"This engine lacks a node the workflow needs: {self.lacks}.")
        return self.can

    async def look_over(self, workflow: WorkflowRef, request: GenerationRequest) -> tuple[str, ...]:
        if self.lacks_file:
            raise CapabilityError(f"This engine has no model “{self.lacks_file}”.")
        return self.remarks


@dataclass
class House:
    registry: BackendRegistry
    service: WorkflowService

    async def engine(self, engine: FakeBackend, can: Capabilities = CAN) -> Entry:
        entry = self.registry.add(Entry(config=BackendConfig(name=engine.name, kind="comfyui"), backend=engine))
        entry.capabilities, entry.checked_at = can, self.registry._clock.monotonic()
        return entry

    async def add(self, name: str, owner: Owner = ANN, content: bytes = b"{}") -> str:
        return (await self.service.save(await self.service.analyse(content, person("ann", "g")), name, owner)).version


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = FakeClock()
    database = await open_database(tmp_path / "easel.sqlite3")
    registry = BackendRegistry(clock)
    yield House(registry, WorkflowService(registry, WorkflowStore(database), clock))
    await registry.aclose()
    await database.close()


async def test_first_engine_that_has_all_nodes_reads_the_file(house: House) -> None:
    await house.engine(FakeBackend("a1111"))
    await house.engine(WorkflowEngine("old", lacks="FancyNode"))
    await house.engine(WorkflowEngine("new"))
    analysed = await house.service.analyse(b"{}", person("ann"))
    assert (analysed.engine, analysed.kind, analysed.lines) == ("new", "comfyui", ("prompt: node 6, text",))


async def test_an_engine_that_has_all_files_reads_before_one_that_lacks_some(house: House) -> None:
    poor, rich = WorkflowEngine("poor"), WorkflowEngine("rich")
    poor.lacks_file = "gone.safetensors"
    await house.engine(poor)
    (problem,) = (await house.service.analyse(b"{}", person("ann"))).problems
    assert problem == "This engine has no model “gone.safetensors”."
    await house.engine(rich)
    analysed = await house.service.analyse(b"{}", person("ann"))
    assert (analysed.engine, analysed.problems) == ("rich", ())


async def test_a_file_that_is_lacking_is_refused_and_remarks_are_notes(house: House) -> None:
    engine = WorkflowEngine("one")
    entry = await house.engine(engine)
    engine.remarks = ("picture 2 stays",)
    result = await fitted(house, entry)
    assert isinstance(result, Fit)
    assert "picture 2 stays" in result.notes
    engine.lacks_file = "gone.safetensors"
    refused = await fitted(house, entry)
    assert isinstance(refused, Refused)
    assert refused.reasons == ("This engine has no model “gone.safetensors”",)


async def test_every_engine_that_lacks_something_is_named(house: House) -> None:
    await house.engine(WorkflowEngine("one", lacks="FancyNode"))
    with pytest.raises(CapabilityError, match="lacks a node the workflow needs: FancyNode"):
        await house.service.analyse(b"{}", person("ann"))
    await house.engine(WorkflowEngine("two", lacks="OtherNode"))
    with pytest.raises(CapabilityError, match=r"one: .*FancyNode; two: .*OtherNode\."):
        await house.service.analyse(b"{}", person("ann"))


async def test_file_that_is_none_is_refused_at_once_and_a_huge_one_unread(house: House) -> None:
    await house.engine(WorkflowEngine("one"))
    with pytest.raises(RequestRejected, match="not JSON"):
        await house.service.analyse(b"nonsense", person("ann"))
    with pytest.raises(RequestRejected, match="at most 2 MB"):
        await house.service.analyse(b" " * (workflows.MAX_WORKFLOW_BYTES + 1), person("ann"))


async def test_without_such_an_engine_the_way_to_one_is_told(house: House) -> None:
    await house.engine(FakeBackend("a1111"))
    await house.engine(WorkflowEngine("closed"), replace(CAN, supports_workflows=False))
    with pytest.raises(CapabilityError, match="takes ComfyUI"):
        await house.service.analyse(b"{}", person("ann"))


async def test_people_see_their_own_the_servers_and_everybodys(house: House) -> None:
    await house.engine(WorkflowEngine("one"))
    mine = await house.add("portrait")
    servers = await house.add("portrait", GUILD, b'{"2": 1}')
    await house.add("poster", Owner())
    assert [item.name for item in await house.service.list(person("ann", "g"))] == ["portrait", "portrait", "poster"]
    assert [item.name for item in await house.service.list(person("bob"))] == ["poster"]
    assert (await house.service.get("Portrait", person("ann", "g"))).version == mine
    assert (await house.service.get("port", person("bob", "g"))).version == servers
    with pytest.raises(RequestRejected, match=r"no workflow “portrait” here. Available: poster\."):
        await house.service.get("portrait", person("bob"))


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "---"])
async def test_name_that_cannot_be_is_refused(house: House, name: str) -> None:
    await house.engine(WorkflowEngine("one"))
    with pytest.raises(RequestRejected, match="cannot be called"):
        await house.add(name)


def test_the_limits_are_those_of_the_page() -> None:
    assert (workflows.MAX_WORKFLOWS, workflows.MAX_WORKFLOW_BYTES) == (50, 2 * 2**20)


async def test_one_more_than_the_limit_is_refused_but_replacing_is_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflows, "MAX_WORKFLOWS", 1)
    await house.engine(WorkflowEngine("one"))
    await house.add("portrait")
    with pytest.raises(LimitReached, match="1 workflows"):
        await house.add("poster")
    await house.add("PORTRAIT", content=b'{"2": 1}')


async def test_correction_makes_a_new_version_under_the_same_name(house: House) -> None:
    engine = WorkflowEngine("one")
    await house.engine(engine)
    before = await house.add("portrait")
    after = await house.service.correct("portrait", "prompt", "7.text", ANN)
    assert engine.corrections == [("prompt", "7.text")]
    assert (after.name, after.lines) == ("portrait", ("prompt: 7.text",))
    assert after.version != before
    with pytest.raises(RequestRejected, match="no workflow"):
        await house.service.correct("portrait", "prompt", "7.text", GUILD)


async def test_what_a_job_was_made_with_is_found_after_the_name_changed_and_went(house: House) -> None:
    await house.engine(WorkflowEngine("one"))
    await house.add("portrait")
    used = await house.service.resolve(WorkflowRef(name="portrait"), person("ann"))
    assert (used.name, used.graph) == ("portrait", "{}")
    await house.add("portrait", content=b'{"2": 1}')
    await house.service.delete("portrait", ANN)
    assert await house.service.list(person("ann")) == ()
    again = await house.service.resolve(WorkflowRef(name="portrait", id=used.id), person("bob"))
    assert again.graph == "{}"


async def test_version_nobody_drew_with_is_gone_with_its_name(house: House) -> None:
    await house.engine(WorkflowEngine("one"))
    gone = WorkflowRef(name="portrait", id=await house.add("portrait"))
    await house.service.delete("Portrait", ANN)
    for ask in (house.service.load(gone), house.service.resolve(gone, person("ann"))):
        with pytest.raises(RequestRejected, match="no longer kept"):
            await ask
    with pytest.raises(RequestRejected, match="None has been added yet"):
        await house.service.delete("portrait", ANN)


async def fitted(house: House, entry: Entry, **reply: object) -> Fit | Refused:
    own = WorkflowRef(name="portrait", id="1", graph="{}")
    return await house.service.fit(Draft(prompt="a fox", workflow=own, **reply), entry)  # type: ignore[arg-type]


async def test_request_gets_what_is_usual_for_the_workflow(house: House) -> None:
    entry = await house.engine(WorkflowEngine("one", can=replace(CAN, default_steps=4, supports_steps=False)))
    result = await fitted(house, entry)
    assert isinstance(result, Fit)
    assert (result.request.steps, result.notes) == (4, ())
    assert result.request.workflow == WorkflowRef(name="portrait", id="1")
    assert result.request.workflow.graph == "", "the queue holds no copies of it"
    result = await fitted(house, entry, steps=9)
    assert isinstance(result, Fit)
    assert "steps ignored" in result.notes[0]


async def test_engines_that_cannot_draw_it_say_why(house: House) -> None:
    other = await house.engine(FakeBackend("a1111"))
    lacking = await house.engine(WorkflowEngine("one", lacks="FancyNode"))
    picture = await house.engine(WorkflowEngine("two", can=replace(CAN, modes=frozenset({Mode.IMG2IMG}))))
    away = WorkflowEngine("three")
    gone = await house.engine(away)
    away.is_away = True
    reasons = [await fitted(house, entry) for entry in (other, lacking, picture, gone)]
    assert [item.reasons[0] for item in reasons if isinstance(item, Refused)] == [
        "it runs no workflows",
        "This engine lacks a node the workflow needs: FancyNode",
        "the workflow “portrait” needs a picture to start from: attach one",
        "three is away",
    ]


@pytest.mark.parametrize(
    ("modes", "asked", "reason"),
    [
        ({Mode.TXT2IMG}, Mode.IMG2IMG, "the workflow “portrait” has no place for a picture: draw without one"),
        ({Mode.TXT2IMG}, Mode.INPAINT, "the workflow “portrait” has no place for a picture: draw without one"),
        ({Mode.IMG2IMG}, Mode.INPAINT, "the workflow “portrait” has no place for a mask: draw without one"),
    ],
)
async def test_picture_or_mask_that_a_workflow_has_no_place_for_is_named(
    house: House, modes: set[Mode], asked: Mode, reason: str
) -> None:
    entry = await house.engine(WorkflowEngine("one", can=replace(CAN, modes=frozenset(modes))))
    picture = SourceImage.of(drawn_flat("PNG", (64, 64)))
    mask = picture if asked is Mode.INPAINT else None
    assert await fitted(house, entry, mode=asked, init_image=picture, mask_image=mask) == Refused(reasons=(reason,))
