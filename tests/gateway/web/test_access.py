"""Who sends a request: this machine, someone whom a trusted proxy names, or nobody."""

import pytest
from starlette.requests import Request

from incidents.app.settings import Settings, load_settings
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.gateway.web.access import Access, NotAllowed, Person, is_local

PEOPLE = PeopleDirectory({"ann": DirectoryEntry(email="ann@example.com")})
Headers = list[tuple[str, str]]


def request(peer: str, headers: Headers, host: str = "localhost") -> Request:
    lines = [(name.encode(), value.encode()) for name, value in [("host", host), *headers]]
    return Request({"type": "http", "path": "/", "headers": lines, "client": (peer, 50000), "session": {}})


@pytest.mark.parametrize("host", ["localhost", "localhost:8090", "LOCALHOST", "127.0.0.1:8090", "[::1]:8090", "[::1]"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.8.8"])
def test_this_machine_reads_by_any_of_its_names(settings: Settings, peer: str, host: str) -> None:
    assert is_local(request(peer, [], host))
    assert Access(settings, NOBODY).person(request(peer, [], host)).local


@pytest.mark.parametrize(
    ("peer", "host", "headers"),
    [
        ("10.0.0.7", "localhost", []),
        ("127.0.0.1", "gateway.example.com", []),
        ("127.0.0.1", "localhost.example.com", []),
        ("127.0.0.1", "", []),
        ("127.0.0.1", "[::1", []),
        ("127.0.0.1", "localhost", [("x-forwarded-for", "127.0.0.1")]),
        ("127.0.0.1", "localhost", [("forwarded", "for=127.0.0.1")]),
        ("testclient", "localhost", []),
    ],
)
def test_without_sign_in_no_other_machine_reads(settings: Settings, peer: str, host: str, headers: Headers) -> None:
    with pytest.raises(NotAllowed):
        Access(settings, NOBODY).person(request(peer, headers, host))


def test_a_proxy_that_adds_no_header_is_none_of_this_machine(settings: Settings) -> None:
    asked = request("127.0.0.1", [])
    asked.scope["http_version"] = "1.0"  # as nginx asks by default, with the address of `proxy_pass` as the host
    assert not is_local(asked)


@pytest.mark.parametrize("url", ["https://incidents.example.com", "http://192.0.2.7:8090", "https://[2001:db8::1]"])
def test_with_a_public_address_and_no_sign_in_nobody_is_this_machine(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("GATEWAY_URL", url)
    access = Access(load_settings(), NOBODY)
    assert access.describe().startswith("web pages: closed (GATEWAY_URL is a public address, and without sign-in")
    with pytest.raises(NotAllowed):
        access.person(request("127.0.0.1", []))
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.5")
    assert Access(load_settings(), PEOPLE).person(
        request("10.0.0.5", [("x-forwarded-email", "ann@example.com")])
    ) == Person(name="ann")


@pytest.mark.parametrize("url", ["http://localhost:8090", "http://127.0.0.1:8090", "http://[::1]:8090"])
def test_a_local_address_keeps_the_pages_open_here(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("GATEWAY_URL", url)
    assert Access(load_settings(), NOBODY).person(request("127.0.0.1", [])).local


@pytest.fixture
def proxied(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a gateway behind a proxy that signs people in."""
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.5, 192.0.2.0/24")
    return load_settings()


@pytest.mark.parametrize(
    ("peer", "headers", "name"),
    [
        ("10.0.0.5", [("x-forwarded-email", "Ann@Example.com")], "ann"),
        ("192.0.2.9", [("x-forwarded-email", "bob@example.com")], "bob@example.com"),
        ("::ffff:10.0.0.5", [("x-forwarded-email", "ann@example.com")], "ann"),
        ("10.0.0.5", [], ""),
        ("10.0.0.5", [("x-forwarded-email", " ")], ""),
        ("10.0.0.5", [("x-forwarded-email", "ann@example.com"), ("x-forwarded-email", "eve@example.com")], ""),
        ("10.0.0.6", [("x-forwarded-email", "ann@example.com")], ""),
        ("127.0.0.1", [("x-forwarded-email", "ann@example.com")], ""),
        ("127.0.0.1", [], ""),
    ],
)
def test_a_header_counts_from_a_trusted_proxy_alone(proxied: Settings, peer: str, headers: Headers, name: str) -> None:
    access = Access(proxied, PEOPLE)
    if name:
        assert access.person(request(peer, headers)).name == name
    else:
        with pytest.raises(NotAllowed):
            access.person(request(peer, headers))


def test_the_header_has_the_name_that_is_set(proxied: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXY_HEADER", "Remote-User")
    access = Access(load_settings(), PEOPLE)
    assert access.person(request("10.0.0.5", [("remote-user", "ann@example.com")])).name == "ann"
    with pytest.raises(NotAllowed):
        access.person(request("10.0.0.5", [("x-forwarded-email", "ann@example.com")]))


@pytest.mark.parametrize("missing", ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "GATEWAY_URL"])
def test_what_is_half_configured_lets_nobody_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    complete = {"OIDC_ISSUER": "https://login.example.com", "GATEWAY_URL": "https://incidents.example.com"}
    complete |= {"OIDC_CLIENT_ID": "gateway", "OIDC_CLIENT_SECRET": "secret"}
    for name, value in complete.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    access = Access(load_settings(), NOBODY)
    assert f"closed (error: {missing} is not set" in access.describe()
    with pytest.raises(NotAllowed):
        access.person(request("127.0.0.1", []))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("TRUSTED_PROXIES", "proxy.example.com"), ("TRUSTED_PROXIES", "10.0.0.5/8"), ("TRUSTED_PROXY_HEADER", "a b")],
)
def test_a_setting_that_names_no_proxy_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=variable):
        load_settings()
