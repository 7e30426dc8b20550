"""E-mail, by SendGrid or SMTP. Sent mail cannot be looked up, so delivery is at least once."""

from email.utils import parseaddr

from jinja2 import Environment, PackageLoader
from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import ActivityResult, SendMail
from incidents.vendors.mail.mail import Mail, Mailer

_PAGES = Environment(loader=PackageLoader("activities"), autoescape=True)


class Email:
    """Sends mail. Without a client, requests are skipped with the reason."""

    def __init__(self, client: Mailer | None, sender: str, reply_to: str = "", off: str = "") -> None:
        self._client, self._sender, self._reply_to, self._off = client, sender, reply_to, off

    @activity.defn
    def send_mail(self, request: SendMail) -> ActivityResult:
        """Send one mail per recipient. The mails of an incident form one thread."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        mail = Mail(
            sender=self._sender,
            reply_to=self._reply_to,
            recipients=request.to,
            subject=request.subject,
            text=request.text,
            html=_PAGES.get_template("mail.html.j2").render(subject=request.subject, text=request.text),
            headers=self._headers(request),
            categories=(request.category,),
            key=request.key,
            invitation=request.invitation,
        )
        with translate_vendor_errors():
            self._client.send(mail)
        return ActivityResult(
            detail=f"sent to {len(request.to)} {'recipient' if len(request.to) == 1 else 'recipients'}"
        )

    def _headers(self, request: SendMail) -> dict[str, str]:
        """Return the headers of the thread: every mail refers to the incident's first one."""
        domain = parseaddr(self._sender)[1].rpartition("@")[2] or "localhost"
        first = f"<{request.thread}@{domain}>"
        own = first if request.sequence == 1 else f"<{request.key.replace('/', '.').replace(' ', '-')}@{domain}>"
        headers = {"Message-ID": own, "Auto-Submitted": "auto-generated"}
        return headers if own == first else headers | {"References": first, "In-Reply-To": first}
