"""A mail that a server defers for one recipient, on a real Temporal server: the retry reaches nobody twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.updates.email import Email
from incidents.domain.activity_requests import SendMail
from incidents.domain.activity_results import MailSent
from incidents.domain.recipients import staff
from incidents.vendors.mail.smtp import SmtpClient
from tests.support.servers.dev_server import DevServer
from tests.vendors.mail.test_smtp_mail import Postman, url

__all__ = ["url"]

QUEUE = "mail-test"
MAIL = SendMail(
    key="run-7/update/1/email",
    to=staff(("a@y.example", "b@y.example", "c@y.example")),
    subject="Down",
    text="It is down.",
    thread="run-7",
    sequence=1,
)


@workflow.defn(sandboxed=False)
class Mailing:
    """A workflow that sends one mail."""

    @workflow.run
    async def run(self, mail: SendMail) -> MailSent:
        return await workflow.execute_activity_method(
            Email.send_mail,
            mail,
            start_to_close_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_attempts=5),
        )


class Greylist(Postman):
    """Defers the first mails to some."""

    def __init__(self) -> None:
        super().__init__()
        self.deferring = ["b@y.example", "b@y.example", "c@y.example"]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.deferring:
            self.deferring.remove(address)
            return "451 greylisted"
        return await super().handle_RCPT(server, session, envelope, address, options)


@pytest.fixture
def postman() -> Greylist:
    return Greylist()


async def test_a_retry_mails_only_those_who_were_deferred(url: str, postman: Greylist, dev_server: DevServer) -> None:
    email = Email(SmtpClient(url, timeout=2), "team@x.example")
    client = await dev_server.client()
    with ThreadPoolExecutor(2) as threads:
        async with Worker(
            client,
            task_queue=QUEUE,
            workflows=[Mailing],
            activities=[email.send_mail],
            activity_executor=threads,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            sent = await client.execute_workflow(Mailing.run, MAIL, id="mailing", task_queue=QUEUE)
    assert sent.detail == "sent to 3 recipients"
    assert [to for to, _ in postman.envelopes] == [["a@y.example"], ["c@y.example"], ["b@y.example"]]
