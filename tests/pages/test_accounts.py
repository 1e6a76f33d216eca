"""Users, links for a password and the own account on the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.pages.conftest import Visiting
from tests.pages.test_forms import first, pick, read
from tests.pages.test_looks import overflow, violations
from tests.seed import PASSWORD

NEW = "five words nobody else joins"


def go_to(page: Page, address: str) -> None:
    page.evaluate("address => { location.hash = address }", address)


def test_an_admin_invites_somebody_who_sets_a_password_and_is_signed_in(
    own_visit: Visiting, own_app: Application
) -> None:
    page = own_visit("admin").open_board("#/users")
    page.get_by_role("link", name="New user").click()
    page.get_by_label("E-mail (required)").fill("kim@alpha.example")
    page.get_by_label("Name (required)").fill("Kim Sand")
    page.get_by_label("Role").select_option("manager")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("heading", name="Kim Sand")).to_be_visible()
    link = page.get_by_label("Link to set a password").input_value()
    assert "/set-password#" in link
    assert violations(page) == []

    guest = own_visit(None, "phone")
    guest.expected = ["410", "400"]
    other = guest.open("/set-password" + link.partition("/set-password")[2])
    expect(other.locator("#whose")).to_have_text("For Kim Sand, kim@alpha.example, at canaryalpha works.")
    assert "#" not in other.url
    assert violations(other) == []
    assert overflow(other) <= 0
    other.get_by_label("New password").fill("short")
    other.get_by_role("button", name="Set password and sign in").click()
    expect(other.get_by_role("alert")).to_be_visible()
    expect(other.get_by_label("New password")).to_be_focused()
    other.get_by_label("New password").fill(NEW)
    other.keyboard.press("Enter")
    expect(other.locator("#who")).to_have_text("Kim Sand")
    assert not [r.url for r in guest.requests if link.partition("#")[2] in r.url]
    other.goto(link.replace(link.partition("/set-password")[0], guest.site.url))
    expect(other.get_by_role("alert")).to_have_text(
        "This link is not valid any more. Ask an admin for a new one."
    )
    expect(other.get_by_label("New password")).to_be_hidden()


def test_a_link_is_made_again_and_revoked(own_visit: Visiting, own_app: Application) -> None:
    person = read(own_app, "/api/users?role=operator&is_active=true")["items"][0]
    page = own_visit("admin").open_board(f"#/users/{person['id']}")
    page.get_by_role("button", name=re.compile("^New .* link$")).click()
    expect(page.get_by_label("Link to set a password")).to_have_value(re.compile("/set-password#"))
    page.get_by_role("button", name="Revoke the link").click()
    expect(page.get_by_label("Link to set a password")).to_have_count(0)
    assert own_app.client().get(f"/api/users/{person['id']}/password-link").status_code == 404


def test_work_is_handed_over_with_the_deactivation(own_visit: Visiting, own_app: Application) -> None:
    people = read(own_app, "/api/users?is_active=true&page_size=100")["items"]
    person = next(
        one
        for one in people
        if read(own_app, f"/api/users/{one['id']}/work")["steps"] and one["role"] == "operator"
    )
    successor = next(one for one in people if one["role"] == "operator" and one["id"] != person["id"])
    before = read(own_app, f"/api/users/{person['id']}/work")
    page = own_visit("admin").open_board(f"#/users/{person['id']}")
    expect(page.get_by_role("link", name=f"{before['steps']} steps")).to_be_visible()
    pick(page, "Hand everything over to", successor["full_name"][:-1], successor["full_name"])
    page.get_by_role("button", name="Hand over and deactivate").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"All open work goes to {successor['full_name']}")
    dialog.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Nothing is assigned.")).to_be_visible()
    after = read(own_app, f"/api/users/{person['id']}/work")
    assert (after["steps"], after["leads"], after["approvals"]) == (0, 0, 0)
    assert read(own_app, f"/api/users/{person['id']}")["is_active"] is False
    page.get_by_role("button", name="Reactivate").click()
    expect(page.get_by_role("button", name="Deactivate", exact=True)).to_be_visible()
    assert read(own_app, f"/api/users/{person['id']}")["is_active"] is True


def test_name_and_password_are_changed_and_other_sign_ins_end(
    own_visit: Visiting, own_app: Application
) -> None:
    email = own_app.alpha.email("manager")
    elsewhere = own_app.sign_in(email).json
    assert elsewhere is not None
    visitor = own_visit(None)
    visitor.expected = ["400", "401", "403"]
    page = visitor.open()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#who").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_label("Name (required)", exact=True).fill("Robin Reed")
    page.get_by_role("button", name="Save name").click()
    expect(page.locator("#who")).to_have_text("Robin Reed")
    page.get_by_label("Present password").fill("not this one at all")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.locator(".record-form .problem:visible")).to_have_count(1)
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#toasts")).to_contain_text("Your password is changed.")
    expect(page.get_by_label("New password")).to_have_value("")
    token = {"Authorization": f"Bearer {elsewhere['access_token']}"}
    assert own_app.flask.test_client().get("/api/auth/me", headers=token).status_code == 401
    go_to(page, "#/jobs")
    expect(page.locator("#total")).to_have_text("90 jobs")


def test_tokens_are_shown_once_work_and_are_revoked(own_visit: Visiting, own_app: Application) -> None:
    visitor = own_visit("operator")
    page = visitor.open_board("#/account")
    page.get_by_label("Name of the token").fill("Report")
    page.get_by_label("Days until it ends").fill("400")
    page.get_by_role("button", name="Make token").click()
    visitor.expected = ["400", "422"]
    expect(page.locator("#field-expires_in_days-problem")).to_contain_text("365 or less")
    page.get_by_label("Days until it ends").fill("30")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_label("Token", exact=True)).to_have_value(re.compile("^opsb_"))
    token = page.get_by_label("Token", exact=True).input_value()
    header = {"Authorization": f"Bearer {token}"}
    assert own_app.flask.test_client().get("/api/jobs?page_size=1", headers=header).status_code == 200
    page.get_by_role("button", name="Revoke Report").click()
    expect(page.locator(".account")).to_contain_text(re.compile("Revoked [0-9]"))
    assert own_app.flask.test_client().get("/api/jobs?page_size=1", headers=header).status_code == 401


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_pages_of_people_have_no_barriers(visit: Visiting, app: Application, look: str) -> None:
    visitor = visit("admin", look)
    page = visitor.open_board(f"#/users/{first(app, 'users')['id']}")
    if look == "phone":
        page.set_viewport_size({"width": 320, "height": 640})
    expect(page.get_by_role("heading", name="Open work")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0
    go_to(page, "#/account")
    expect(page.get_by_role("heading", name="New token")).to_be_visible()
    expect(page.locator(".account .empty, .account table").first).to_be_visible()
    assert violations(page) == []
    assert overflow(page) <= 0


def test_a_service_account_is_added_and_gets_a_token(own_visit: Visiting, own_app: Application) -> None:
    page = own_visit("admin").open_board("#/users/new")
    page.get_by_label("E-mail (required)").fill("robot@alpha.example")
    page.get_by_label("Name (required)").fill("Robot")
    page.get_by_label("Account of a program").check()
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("heading", name="Robot")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("link"))).to_have_count(0)
    page.get_by_label("Name of the token").fill("Line 3")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_label("Token", exact=True)).to_have_value(re.compile("^opsb_"))
    token = page.get_by_label("Token", exact=True).input_value()
    me = own_app.flask.test_client().get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}).json
    assert me is not None and me["full_name"] == "Robot"
    assert violations(page) == []
