from __future__ import annotations

from typing import Any

import httpx
import pytest
from python_http_client.exceptions import UnauthorizedError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import CustomArg, Mail, To

from sandbox.server import RunningSandbox

SENDER, READER = "incidents@featuresignals.com", "status@customer.example"


def client(sandbox: RunningSandbox, key: str | None = None) -> Any:
    env = sandbox.environment()
    return SendGridAPIClient(key or env["SENDGRID_API_KEY"], host=env["SENDGRID_API_URL"])


def body(**changes: Any) -> dict[str, Any]:
    plain = {"type": "text/plain", "value": "text"}
    complete = {"personalizations": [{"to": [{"email": READER}]}], "from": {"email": SENDER}, "subject": "s"}
    return complete | {"content": [plain]} | changes


def test_the_sdk_sends_and_the_mailbox_shows_it(sandbox: RunningSandbox) -> None:
    mail = Mail(SENDER, [To(READER)], "[INCIDENT] P0", plain_text_content="text", html_content="<p>html</p>")
    mail.add_custom_arg(CustomArg("key", "INC-1/update/1"))
    reply = client(sandbox).send(mail)
    assert (reply.status_code, reply.body) == (202, b"")
    assert reply.headers["X-Message-Id"]
    received = sandbox.state()["sendgrid"][0]
    assert (received["to"], received["subject"], received["html"]) == ([READER], "[INCIDENT] P0", "<p>html</p>")
    assert received["custom_args"] == {"key": "INC-1/update/1"}
    assert [row["operation"] for row in sandbox.ledger("sendgrid")] == ["mail.send"]


def test_the_same_mail_twice_is_two_mails(sandbox: RunningSandbox) -> None:
    for _ in range(2):
        client(sandbox).client.mail.send.post(request_body=body())
    assert len(sandbox.state()["sendgrid"]) == 2


def test_a_wrong_key_is_refused(sandbox: RunningSandbox) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        client(sandbox, "SG.wrong").send(Mail(SENDER, READER, "s", "text"))
    assert caught.value.to_dict["errors"][0]["message"].startswith("The provided authorization grant is invalid")


def test_each_personalization_is_an_envelope_of_its_own(sandbox: RunningSandbox) -> None:
    envelopes = [{"to": [{"email": f"{name}@customer.example"}]} for name in ("a", "b")]
    client(sandbox).client.mail.send.post(request_body=body(personalizations=envelopes))
    assert [mail["to"] for mail in sandbox.state()["sendgrid"]] == [["a@customer.example"], ["b@customer.example"]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "nobody"}]}]}, "personalizations.0.to.0.email"),
        ({"personalizations": [{"to": [{"email": READER}], "cc": [{"email": READER}]}]}, "personalizations.0"),
        ({"personalizations": [{"to": [{"email": f"r{n}@x.example"} for n in range(1001)]}]}, "personalizations"),
        ({"from": {}}, "from.email"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        (
            {"content": [{"type": "text/html", "value": "h"}, {"type": "text/plain", "value": "t"}]},
            "content.0.type",
        ),
    ],
)
def test_a_wrong_mail_is_refused(
    sandbox: RunningSandbox, http: httpx.Client, changes: dict[str, Any], field: str
) -> None:
    headers = {"Authorization": f"Bearer {sandbox.environment()['SENDGRID_API_KEY']}"}
    reply = http.post("/sendgrid/v3/mail/send", headers=headers, json=body(**changes))
    assert reply.status_code == 400
    assert [error["field"] for error in reply.json()["errors"]] == [field]
    assert sandbox.ledger("sendgrid") == []


def test_sandbox_mode_checks_and_sends_nothing(sandbox: RunningSandbox) -> None:
    settings = {"sandbox_mode": {"enable": True}}
    assert client(sandbox).client.mail.send.post(request_body=body(mail_settings=settings)).status_code == 200
    assert sandbox.state()["sendgrid"] == []
