import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.integration.service.conftest import SHIPPED, OwnServer
from tests.support.real.browser import PHONE, Open, is_accessible, running_browser, visiting
from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings


@pytest.fixture
async def address() -> AsyncIterator[str]:
    server = OwnServer(create_app(ServerSettings(model=SHIPPED)))
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture
async def visit(browser: Browser, address: str) -> AsyncIterator[Open]:
    async with visiting(browser, address) as visit:
        yield visit


async def classify(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("^(Classify|Определить)$")).click()
    await expect(page.locator(".outcome")).to_be_visible()


async def test_a_typical_wine_is_filled_in_and_classified(visit: Open) -> None:
    page = await visit("/ui")
    await is_accessible(page)
    await page.get_by_role("link", name="Barolo").click()
    await expect(page.get_by_label("Alcohol")).to_have_value("14.1")
    await classify(page)
    await expect(page.get_by_role("heading", name="It is a Barolo")).to_be_visible()
    await expect(page.locator(".bars .number").first).to_have_text("99.3 %")
    await expect(page.locator(".outcome")).to_be_focused()
    await expect(page.get_by_label("Proline")).to_have_value("1060")
    await is_accessible(page)


async def test_mistakes_are_shown_next_to_their_fields(visit: Open) -> None:
    page = await visit("/ui?example=Barolo")
    await page.get_by_label("Alcohol").fill("1,060")
    await page.get_by_label("Magnesium").fill("")
    await classify(page)
    alcohol = page.get_by_label("Alcohol")
    await expect(alcohol).to_have_value("1,060")
    await expect(alcohol).to_have_accessible_description(
        re.compile(r"11\.03–14\.83 .* may be thousands or thousandths")
    )
    await expect(page.get_by_label("Magnesium")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Hue")).not_to_have_attribute("aria-invalid", "true")
    await page.get_by_role("alert").get_by_role("link", name="Magnesium").click()
    await expect(page.get_by_label("Magnesium")).to_be_focused()
    await is_accessible(page)


@pytest.mark.parametrize("has_script", [True, False], ids=["with JavaScript", "without JavaScript"])
async def test_the_whole_way_by_keyboard(visit: Open, *, has_script: bool) -> None:
    page = await visit("/ui?example=Grignolino", java_script_enabled=has_script)
    await page.get_by_label("Proline").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="It is a Grignolino")).to_be_visible()
    await expect(page.locator(".outcome")).to_be_focused()


async def test_without_javascript_mistakes_come_back_with_what_was_filled_in(visit: Open) -> None:
    page = await visit("/ui?example=Barbera", java_script_enabled=False)
    await page.get_by_label("Ash", exact=True).fill("nan")
    await classify(page)
    await expect(page.get_by_label("Ash", exact=True)).to_have_value("nan")
    await expect(page.get_by_label("Malic acid")).to_have_value("3.24")
    await expect(page.get_by_text("This is not a finite number.")).to_be_visible()
    await expect(page).to_have_title("Something is not right yet · wine-slo")


async def test_a_pasted_row_is_classified_and_fills_the_fields(visit: Open) -> None:
    page = await visit("/ui")
    await page.get_by_label("Or paste a row").fill("13.32,3.24,2.38,21.5,92,1.93,.76,.45,1.25,8.42,.55,1.62,650")
    await page.get_by_role("button", name="Classify the row").click()
    await expect(page.get_by_role("heading", name="It is a Barbera")).to_be_visible()
    await expect(page.get_by_label("Hue")).to_have_value("0.55")


async def test_a_row_that_is_none_keeps_what_was_pasted_and_says_why(visit: Open) -> None:
    page = await visit("/ui")
    row = page.get_by_label("Or paste a row")
    await row.fill("13.32,<b>")
    await page.get_by_role("button", name="Classify the row").click()
    await expect(row).to_have_accessible_description(re.compile("Enter 13 numbers separated by commas"))
    await expect(row).to_have_value("13.32,<b>")
    await is_accessible(page)


async def test_a_phone_in_the_dark_shows_it_all_without_scrolling_sideways(visit: Open) -> None:
    page = await visit("/ui?example=Barbera", viewport=PHONE, color_scheme="dark", locale="ru-RU")
    await page.get_by_label("Спирт").fill("20")
    await classify(page)
    await expect(page.get_by_role("heading", name="Это Барбера")).to_be_visible()
    await expect(page.locator(".care")).to_contain_text("Спирт (11.03–14.83)")
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    await is_accessible(page)


async def test_the_other_language_is_one_click_away(visit: Open) -> None:
    page = await visit("/ui")
    await page.get_by_role("link", name="Русский").click()
    await expect(page.get_by_role("heading", name="Какой это сорт?")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await is_accessible(page)


async def test_the_contracts_page_tries_it_out(visit: Open) -> None:
    page = await visit("/docs")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("status")).to_contain_text('"label": "class_0"')
    await page.get_by_label("A wine, or an array of them").fill("{}")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("status")).to_contain_text('"detail": "alcohol is missing"')
    await is_accessible(page)


async def test_what_is_filled_in_is_never_markup(visit: Open) -> None:
    page = await visit("/ui", java_script_enabled=False)
    await page.get_by_label("Alcohol").fill('"><script>alert(1)</script>')
    await classify(page)
    await expect(page.get_by_label("Alcohol")).to_have_value('"><script>alert(1)</script>')
    assert await page.locator("main script").count() == 0
