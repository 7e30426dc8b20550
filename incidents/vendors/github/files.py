"""GitHub: files on branches, and pull requests, of one repository.

Rules of the vendor (docs.github.com/rest): a file is replaced only by naming the blob that it replaces (409 otherwise),
so a concurrent edit is never lost. A pull request is found by its branch: there is at most one open for a pair.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from incidents.cutting import cut
from incidents.vendors.errors import VendorNotFound, VendorRejected, VendorUnavailable
from incidents.vendors.http import VendorHttp

TITLE_LIMIT = 256


@dataclass(frozen=True)
class RepoFile:
    """A file on a branch: `sha` is its blob, by which it is replaced; `digest` the SHA-256 of its bytes."""

    data: bytes
    sha: str

    @property
    def digest(self) -> str:
        """The SHA-256 of what it says."""
        return hashlib.sha256(self.data).hexdigest()


class GitHubFiles:
    """The files and pull requests of a repository, given as "owner/name"; it speaks through the issues' connection."""

    def __init__(self, http: VendorHttp, repository: str) -> None:
        self._http = http
        self._owner = repository.partition("/")[0]
        self._repo = f"/repos/{quote(repository)}"

    def get_file(self, path: str, branch: str) -> RepoFile | None:
        """The file on that branch; None if the file or the branch is not there. At most 1 MB."""
        params = {"ref": branch}
        try:
            return self._http.fetch("get_file", "GET", self._contents(path), _file, params=params)
        except VendorNotFound:
            return None

    def ensure_branch(self, branch: str, base: str) -> None:
        """Create the branch from the tip of `base`. Idempotent."""
        try:
            self._tip(branch)
            return
        except VendorNotFound:
            tip = self._tip(base)
        new = {"ref": f"refs/heads/{branch}", "sha": tip}
        try:
            self._http.fetch("create_branch", "POST", f"{self._repo}/git/refs", _sha, json=new)
        except VendorRejected as refusal:
            if "already exists" not in refusal.problem:
                raise

    def put_file(self, path: str, branch: str, message: str, data: bytes, replaces: str = "") -> None:
        """Write the file in a commit of its own. `VendorUnavailable` with code "conflict" if someone has just written
        it, too: read it again.
        """
        body: dict[str, Any] = {
            "message": message,
            "content": base64.b64encode(data).decode(),
            "branch": branch,
            **({"sha": replaces} if replaces else {}),
        }
        try:
            self._http.fetch("put_file", "PUT", self._contents(path), lambda row: row["content"]["sha"], json=body)
        except VendorRejected as refusal:
            if refusal.status == 409:
                raise VendorUnavailable("github", "put_file", refusal.problem, status=409, code="conflict") from None
            raise

    def find_pull(self, branch: str) -> str:
        """The address of the newest pull request from that branch, open or closed; "" if there is none."""
        params: Mapping[str, str] = {"head": f"{self._owner}:{branch}", "state": "all"}
        pulls = f"{self._repo}/pulls"
        return self._http.fetch(
            "list_pulls", "GET", pulls, lambda rows: str(rows[0]["html_url"]) if rows else "", params=params
        )

    def create_pull(self, title: str, body: str, branch: str, base: str, labels: tuple[str, ...] = ()) -> str:
        """A new pull request; its address. Call `find_pull` first: GitHub rejects a second one for a branch."""
        new = {"title": cut(title, TITLE_LIMIT), "body": body, "head": branch, "base": base}
        number, url = self._http.fetch(
            "create_pull",
            "POST",
            f"{self._repo}/pulls",
            lambda row: (int(row["number"]), str(row["html_url"])),
            json=new,
        )
        if labels:
            self._http.call("label_pull", "POST", f"{self._repo}/issues/{number}/labels", json={"labels": list(labels)})
        return url

    def _tip(self, branch: str) -> str:
        """The commit that the branch stands at."""
        return self._http.fetch("get_branch", "GET", f"{self._repo}/git/ref/heads/{quote(branch)}", _sha)

    def _contents(self, path: str) -> str:
        return f"{self._repo}/contents/{quote(path)}"


def _sha(ref: dict[str, Any]) -> str:
    return str(ref["object"]["sha"])


def _file(row: dict[str, Any]) -> RepoFile:
    return RepoFile(base64.b64decode(row["content"]), str(row["sha"]))
