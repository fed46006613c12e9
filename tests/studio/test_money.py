"""Money in the studio: the price beside Generate, a price that is agreed to, what a short budget offers, the books."""

from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import Page, expect

from backends.base import BackendConfig
from backends.registry import Entry
from generation.errors import RequestRejected
from generation.job import JobStatus
from tests.engines.text_servers import KEY as TEXT_KEY
from tests.engines.text_servers import AnthropicServer
from tests.engines_faults.engines import ENGINES, KEYS
from tests.paid import PaidBackend
from tests.studio.marks import studio_tests
from tests.studio.pages import button, finished, generate, write
from tests.studio.server import Studio, studio_at
from tests.waiting import until

pytestmark = studio_tests(__name__)


async def shop(studio: Studio) -> PaidBackend:
    backend = PaidBackend("shop")
    studio.easel.registry.add(Entry(config=BackendConfig(name="shop", kind="fake"), backend=backend))
    await studio.easel.registry.refresh("shop")
    return backend


async def press(page: Page, words: str) -> None:
    await write(page, words)
    await button(page, "Generate").click()


async def test_a_price_is_agreed_to_in_a_dialog(browse, watch, tmp_path: Path) -> None:
    watch.allow(r"402.*/api/jobs")
    async with studio_at(tmp_path, CONFIRM_ABOVE_USD="0.05") as studio:
        backend = await shop(studio)
        page = await browse("#/create", url=studio.url)
        await press(page, "a fox --backend shop --batch 2 --size 64x64")
        await expect(page.locator(".estimate")).to_contain_text("$0.08")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("about $0.08, and more than $0.05 is drawn only when you agree")
        await button(dialog, "Cancel").click()
        await expect(dialog).to_have_count(0)
        await expect(button(page, "Generate")).to_be_enabled()
        assert backend.requests == []
        await button(page, "Generate").click()
        await button(page.get_by_role("dialog"), "Draw for $0.08").click()
        await finished(page)
        assert len(backend.requests) == 1
        await page.context.close()


async def test_a_short_budget_offers_what_is_free(browse, watch, tmp_path: Path) -> None:
    watch.allow(r"429.*/api/jobs")
    async with studio_at(tmp_path, USER_DAILY_BUDGET_USD="0.05") as studio:
        backend = await shop(studio)
        await studio.draw(backend="shop")
        await until(lambda: not backend.running)
        page = await browse("#/create", url=studio.url)
        await write(page, "a fox --backend shop --size 64x64 --steps 2")
        await expect(page.locator(".estimate .refused")).to_contain_text("you have used $0.04 of $0.05")
        await button(page, "Generate").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Daily budget exceeded")
        await button(dialog, "sketch, free").click()
        await finished(page)
        assert len(backend.requests) == 1
        await page.goto(f"{studio.url}#/dashboard")
        books = page.get_by_role("region", name="Money")
        await expect(books).to_contain_text("$0.04 of $0.05 today")
        await expect(books.get_by_role("table", name="Cost by day, person and engine")).to_contain_text("shop")
        await page.context.close()


async def is_done(studio: Studio, job_id: str) -> bool:
    job = await studio.easel.jobs.get(job_id)
    return job is not None and job.status is JobStatus.DONE


async def test_each_service_draws_at_the_price_that_stands_beside_generate(browse, watch, tmp_path: Path) -> None:
    kinds = {"openai_images": "$0.053", "stability": "$0.03", "replicate": "$0.003", "bfl": "$0.03", "fal": "$0.012"}
    async with AsyncExitStack() as opened:
        servers = {kind: await opened.enter_async_context(ENGINES[kind].server()) for kind in kinds}
        settings = {f"{kind.upper()}_KEY": KEYS[kind] for kind in kinds}
        settings |= {f"{kind.upper()}_URL": server.url for kind, server in servers.items()}
        settings |= {"OPENAI_IMAGES_DIALECT": "openai", "OPENAI_IMAGES_PAUSE": "0"}
        studio = await opened.enter_async_context(studio_at(tmp_path, **settings))
        for kind in kinds:
            await studio.easel.registry.refresh(kind)
        page = await browse("#/create", url=studio.url)
        for kind, price in kinds.items():
            await write(page, f"a fox --backend {kind} --size 1024x1024")
            await expect(page.locator(".estimate")).to_contain_text(price)
            job = await generate(page)
            await until(lambda: is_done(studio, job["id"]))  # noqa: B023  # awaited here
            assert ENGINES[kind].taken(servers[kind]) == 1
        await page.goto(f"{studio.url}#/dashboard")
        books = page.get_by_role("table", name="Cost by day, person and engine")
        for kind in kinds:
            await expect(books).to_contain_text(kind)
        await page.context.close()


async def test_what_goes_on_from_a_picture_names_its_price(browse, watch, tmp_path: Path) -> None:
    async with studio_at(tmp_path) as studio:
        await shop(studio)
        page = await browse("#/create", url=studio.url)
        await press(page, "a fox --backend shop --size 64x64")
        await finished(page)
        actions = page.get_by_role("toolbar", name="Actions")
        await expect(button(actions, "Re-roll · $0.04")).to_be_visible()
        await expect(button(actions, "Upscale 2x · $0.04")).to_be_visible()
        await page.context.close()


async def test_what_failed_names_the_price_of_another_try(browse, watch, tmp_path: Path) -> None:
    async with studio_at(tmp_path) as studio:
        backend = await shop(studio)
        backend.fail = [RequestRejected("No.")]
        page = await browse("#/create", url=studio.url)
        await press(page, "a fox --backend shop --size 64x64")
        await expect(button(page.locator(".stage"), "Try again · $0.04")).to_be_visible()
        await page.context.close()


async def test_buttons_that_ask_the_text_engine_name_its_price(browse, watch, tmp_path: Path) -> None:
    async with (
        AnthropicServer() as server,
        studio_at(tmp_path, ANTHROPIC_API_KEY=TEXT_KEY, ANTHROPIC_BASE_URL=server.url) as studio,
    ):
        page = await browse("#/create", url=studio.url)
        await expect(button(page, "Enhance · $0.0003")).to_be_visible()
        await write(page, "a red fox")
        await button(page, "Enhance · $0.0003").click()
        await button(page.get_by_role("dialog"), "Use it").click()
        await page.goto(f"{studio.url}#/dashboard")
        await expect(page.get_by_role("table", name="Cost by day, person and engine")).to_contain_text("1 answer")
        await page.context.close()
